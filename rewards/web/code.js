// Spares the visitor some typing: the code of the address bar's last part goes into the form, the
// browser's wallet into another, and the clip plays on the page. Without it the forms do the same.
import { ask, sign, wallet } from "/sign.js";
const at = (name) => document.getElementById(name);
const code = decodeURIComponent(location.hash.slice(1));
if (code) history.replaceState(null, "", location.pathname); // not kept in the history
if (code && at("code")) {
  at("code").value = code;
  at("code").form.submit();
}

if (at("extension") && wallet) {
  at("extension").hidden = false;
  at("extension").addEventListener("click", async () => {
    try {
      at("said").textContent = "Waiting for the wallet ...";
      const { address, nonce, signature } = await sign("");
      await ask("/v1/wallets/answer", { nonce, signature });
      at("wallet").value = address;
      at("wallet-form").submit();
    } catch (error) { at("said").textContent = "Not signed: " + error.message; }
  });
}

if (at("clip-form")) {
  at("clip-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const body = new URLSearchParams(new FormData(at("clip-form")));
      const reply = await fetch("/c/clip", { method: "POST", body, referrerPolicy: "no-referrer" });
      if (!reply.ok) throw new Error("it is not there any more");
      const video = at("clip");
      video.src = URL.createObjectURL(await reply.blob());
      video.hidden = false;
      const link = document.createElement("a");
      link.href = video.src;
      link.download = "drive.mp4";
      link.click();
    } catch (error) { at("state").textContent = "No clip: " + error.message + "."; }
  });
}
