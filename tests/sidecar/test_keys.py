from __future__ import annotations

from snapupscale.sidecar.keys import CODE_SECONDS, Keys


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_the_token_is_the_token() -> None:
    keys = Keys()
    assert keys.is_token(keys.token)
    assert not keys.is_token("")
    assert not keys.is_token(keys.token[:-1])
    assert not keys.is_token("\ud800é")
    assert Keys().token != keys.token
    assert len(keys.token) >= 43


def test_a_code_opens_one_session() -> None:
    keys = Keys()
    code = keys.new_code()
    session = keys.redeem(code)
    assert session
    assert keys.is_session(session)
    assert not keys.is_session("")
    assert not keys.is_session(code)
    assert keys.redeem(code) is None
    assert keys.redeem("") is None


def test_a_code_works_for_a_minute() -> None:
    clock = Clock()
    keys = Keys(clock=clock)
    early, late = keys.new_code(), keys.new_code()
    clock.now = CODE_SECONDS - 0.001
    assert keys.redeem(early)
    clock.now = CODE_SECONDS
    assert keys.redeem(late) is None


def test_codes_and_sessions_do_not_pile_up() -> None:
    keys = Keys()
    first = keys.redeem(keys.new_code())
    assert first
    lost = keys.new_code()
    for _ in range(200):
        keys.redeem(keys.new_code())
    assert not keys.is_session(first)
    for _ in range(200):
        keys.new_code()
    assert keys.redeem(lost) is None


def test_every_secret_is_redacted() -> None:
    keys = Keys()
    session, code = keys.redeem(keys.new_code()), keys.new_code()
    assert keys.redact(f"a {keys.token} b {session} c {code}") == "a [secret] b [secret] c [secret]"
