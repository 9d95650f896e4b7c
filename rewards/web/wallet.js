// Links the wallet of this browser, and gives it the sessions of a claim where one is named.
import { ask, sign, wallet } from "/sign.js";
const said = document.getElementById("said");

document.getElementById("link").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!wallet) { said.textContent = "No wallet extension was found in this browser."; return; }
  try {
    said.textContent = "Waiting for the wallet ...";
    const claim = document.getElementById("claim").value.trim();
    const { nonce, signature } = await sign(claim);
    if (claim) {
      const done = await ask("/v1/claims", { claim, nonce, signature });
      said.textContent = done.owed.length + " sessions are now owed to " + done.wallet + ".";
    } else {
      const done = await ask("/v1/wallets/answer", { nonce, signature });
      said.textContent = "Linked: " + done.wallet + ".";
    }
  } catch (error) { said.textContent = "Not linked: " + error.message; }
});
