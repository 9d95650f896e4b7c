// The wallet of this browser signs one text of the service. Nothing but the signature leaves.
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function base58(bytes) {
  let number = 0n, text = "";
  for (const byte of bytes) number = number * 256n + BigInt(byte);
  while (number > 0n) { text = ALPHABET[Number(number % 58n)] + text; number /= 58n; }
  for (const byte of bytes) { if (byte !== 0) break; text = "1" + text; }
  return text;
}

export async function ask(path, body) {
  const reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body), referrerPolicy: "no-referrer" });
  const data = await reply.json();
  if (!reply.ok) throw new Error(data.detail + " (" + data.reason + ")");
  return data;
}

export const wallet = window.solana || (window.phantom && window.phantom.solana) || window.solflare;

// The address of the wallet, the challenge that it signed, and the signature. claim: "" for none.
export async function sign(claim) {
  const connected = await wallet.connect();
  const address = (connected.publicKey || wallet.publicKey).toString();
  const { nonce, text } = await ask("/v1/wallets/challenge", { wallet: address, claim });
  const signed = await wallet.signMessage(new TextEncoder().encode(text), "utf8");
  return { address, nonce, signature: base58(signed.signature || signed) };
}
