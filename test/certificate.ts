import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** The files of a key and of the certificate for it, both in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/**
 * Makes `NAME.pem` and `NAME.key` in `dir` by openssl, for localhost and 127.0.0.1, valid for two days. `subject` is
 * `/CN=NAME` unless it is given. With an authority it is signed by that, else by itself.
 */
export function certificate(
  dir: string,
  name: string,
  { subject = `/CN=${name}`, authority }: { subject?: string; authority?: Certificate } = {},
): Certificate {
  const made = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) }
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ')
  const what = ['-subj', subject, '-addext', names, '-keyout', made.key, '-out', made.cert]
  const signer = authority ? ['-CA', authority.cert, '-CAkey', authority.key] : []
  execFileSync('openssl', [...kind, ...what, ...signer], { stdio: 'pipe' })
  return made
}
