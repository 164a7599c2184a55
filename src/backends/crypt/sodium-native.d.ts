/** What we use of the package, which may not be installed. */
declare module 'sodium-native' {
  interface Sodium {
    crypto_secretbox_easy(block: Uint8Array, text: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
    crypto_secretbox_open_easy(text: Uint8Array, block: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean
  }
  const sodium: Sodium
  export default sodium
}
