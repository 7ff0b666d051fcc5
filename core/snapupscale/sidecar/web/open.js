/* Trades the code in the fragment for a session, then goes to the page that was asked for. */

const fragment = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const PAGE = /^\/v1\/jobs\/[A-Za-z0-9_-]{1,64}\/report$/;
const AGAIN = "Choose it in DaVinci Resolve again: Workspace, Scripts, SnapUpscale.";

/* Where to go, or the sentence that says why not. */
async function enter() {
  const asked = new URLSearchParams(fragment);
  const [code, to] = [asked.get("code"), asked.get("to")];
  if (!code || !PAGE.test(to)) return { said: `This link is not whole. ${AGAIN}` };
  let answer;
  try {
    answer = await fetch("/v1/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
  } catch {
    return { said: `SnapUpscale no longer runs. ${AGAIN}` };
  }
  if (answer.ok) return { to };
  if (answer.status === 401) return { said: `This link was used before, or is too old. ${AGAIN}` };
  return { said: `SnapUpscale could not open the page (${answer.status}). ${AGAIN}` };
}

const look = new CSSStyleSheet();
look.replaceSync("body { font: 16px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 34em; padding: 0 1.5em }");
document.adoptedStyleSheets = [look];

document.addEventListener("DOMContentLoaded", async () => {
  const { to, said } = await enter();
  if (to) location.replace(to);
  else document.getElementById("said").textContent = said;
});
