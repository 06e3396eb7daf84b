// Passkeys: the two ceremonies of WebAuthn, spoken with the server as JSON.
// The parts that need them stay hidden where the browser cannot.

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(url, csrf, body) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
    body: JSON.stringify({ ...body, csrf_token: csrf }),
  });
  if (!answer.ok) throw new Error(`refused: ${answer.status}`);
  return (await answer.json()).response;
}

const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function signIn(part) {
  const { start, csrf, back } = part.dataset;
  const { credential_options: options, wan_state: state } = await post(start, csrf, {});
  const found = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  });
  const { response } = found;
  const credential = JSON.stringify({
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    extensions: found.getClientExtensionResults(),
    response: {
      authenticatorData: text(response.authenticatorData),
      clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  });
  await post(`${start}/${state}`, csrf, { credential });
  window.location.assign(back);
}

async function add(part) {
  const { start, csrf, name } = part.dataset;
  const { credential_options: options, wan_state: state } = await post(start, csrf, {
    name: `${name} ${new Date().toISOString().slice(0, 16).replace(/[T:]/g, " ")}`,
    usage: "first",
  });
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  const { response } = made;
  const credential = JSON.stringify({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    extensions: JSON.stringify(made.getClientExtensionResults()),
    response: {
      attestationObject: text(response.attestationObject),
      clientDataJSON: text(response.clientDataJSON),
      transports: response.getTransports ? response.getTransports() : [],
    },
  });
  await post(`${start}/${state}`, csrf, { credential });
  window.location.reload();
}

if (window.PublicKeyCredential) {
  for (const part of document.querySelectorAll("[data-passkey]")) {
    const button = part.querySelector("button");
    const says = part.querySelector("[role=status]");
    part.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      says.textContent = "";
      try {
        await (part.dataset.passkey === "add" ? add(part) : signIn(part));
      } catch {
        says.textContent = part.dataset.failed;
        button.disabled = false;
      }
    });
  }
}
