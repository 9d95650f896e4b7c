// Asks the wallet of this browser to sign one text, and sends the signature. Nothing else leaves.
const said = document.getElementById("said");
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function base58(bytes) {
  let number = 0n, text = "";
  for (const byte of bytes) number = number * 256n + BigInt(byte);
  while (number > 0n) { text = ALPHABET[Number(number % 58n)] + text; number /= 58n; }
  for (const byte of bytes) { if (byte !== 0) break; text = "1" + text; }
  return text;
}

async function ask(path, body) {
  const reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body) });
  const data = await reply.json();
  if (!reply.ok) throw new Error(data.detail + " (" + data.reason + ")");
  return data;
}

document.getElementById("link").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wallet = window.solana || (window.phantom && window.phantom.solana) || window.solflare;
  if (!wallet) { said.textContent = "No wallet extension was found in this browser."; return; }
  try {
    said.textContent = "Waiting for the wallet ...";
    const connected = await wallet.connect();
    const address = (connected.publicKey || wallet.publicKey).toString();
    const claim = document.getElementById("claim").value.trim();
    const open = await ask("/v1/wallets/challenge", { wallet: address, claim });
    const signed = await wallet.signMessage(new TextEncoder().encode(open.text), "utf8");
    const signature = base58(signed.signature || signed);
    if (claim) {
      const done = await ask("/v1/claims", { claim, nonce: open.nonce, signature });
      said.textContent = done.owed.length + " sessions are now owed to " + done.wallet + ".";
    } else {
      const done = await ask("/v1/wallets/answer", { nonce: open.nonce, signature });
      said.textContent = "Linked: " + done.wallet + ".";
    }
  } catch (error) { said.textContent = "Not linked: " + error.message; }
});
