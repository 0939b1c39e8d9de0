/** SHA-256, hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBufferLike>): Promise<string> {
  // a copy whose buffer is surely not shared
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
