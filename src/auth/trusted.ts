import { BlockList, isIP } from 'node:net'
import { AppError } from '../base/error.ts'

/** A set of addresses and networks. Throws `usage` for a text that is neither. */
export class Networks {
  readonly #list = new BlockList()

  constructor(texts: readonly string[]) {
    for (const text of texts) this.#add(text)
  }

  has(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
    const version = isIP(plain)
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }

  #add(text: string): void {
    const [address = '', bits] = text.trim().split('/')
    const version = isIP(address)
    const width = version === 4 ? 32 : 128
    const prefix = bits === undefined ? width : /^\d+$/.test(bits) ? Number(bits) : NaN
    if (version === 0 || !(prefix <= width))
      throw new AppError('usage', `${JSON.stringify(text)} is no address or network such as 10.0.0.0/8`)
    this.#list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }
}
