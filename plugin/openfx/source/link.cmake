# The sources of the link, the part of the effect that speaks with the sidecar; LINK_SYSTEM_LIBRARIES is what they need.
set(LINK_SOURCES
  breaker.c channel.c link.c mapping.c picture.c published.c start.c system.c tail.c why.c wire.c)
if(WIN32)
  list(APPEND LINK_SOURCES mapping_windows.c start_windows.c system_windows.c)
  set(LINK_SYSTEM_LIBRARIES ws2_32 shell32)
else()
  list(APPEND LINK_SOURCES mapping_posix.c start_posix.c system_posix.c)
  set(LINK_SYSTEM_LIBRARIES)
endif()
list(TRANSFORM LINK_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
