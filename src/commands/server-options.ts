import { authOptions } from '../auth/options.ts'
import { httpOptions } from '../http/options.ts'
import { liveOptions } from '../media/options.ts'
import { originOptions } from '../origin/options.ts'
import { shelfOptions } from '../media/shelf-options.ts'
import { vfsOptions } from '../vfs/options.ts'

/** The option blocks that shape a server. They are apart from it, because only commands that serve load all of a server. */
export const serverOptions = [originOptions, shelfOptions, liveOptions, httpOptions, authOptions, vfsOptions]

/** True for names and addresses of this machine that nobody else can reach, an IPv6 address with or without its brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
