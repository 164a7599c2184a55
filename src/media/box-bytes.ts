/** One box of an ISO file (ISO 14496-12 section 4.2) as bytes, of its type and what is in it. */
export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(8 + parts.reduce((sum, part) => sum + part.length, 0))
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, ...parts])
}

/** Big-endian words of 32 bits; a bigint is one of 64. */
export function words(...values: readonly (number | bigint)[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(typeof value === 'bigint' ? 8 : 4)
      if (typeof value === 'bigint') bytes.writeBigUInt64BE(value)
      else bytes.writeInt32BE(value | 0)
      return bytes
    }),
  )
}
