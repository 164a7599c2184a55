import { defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, duration, int, string } from '../../schema/values.ts'

const advanced = true

export const ftpOptions = defineOptions('ftp', {
  host: option(string, '', 'Host to connect to, such as "ftp.example.com"', { flag: 'ftp-host', required: true }),
  user: option(string, '', 'User to log in as; the user who runs this program if left out', { flag: 'ftp-user' }),
  port: option(int, 21, 'Port of the server; with tls it is often 990', { flag: 'ftp-port' }),
  pass: option(string, '', 'Password', { flag: 'ftp-pass', password: true, secret: true }),
  tls: option(bool, false, 'Use TLS from the first byte on (implicit FTPS)', { flag: 'ftp-tls' }),
  explicitTls: option(bool, false, 'Change to TLS before the login (explicit FTPS)', { flag: 'ftp-explicit-tls' }),
  concurrency: option(int, 0, 'Connections at once, 0 is any number; copies within the server need two for each file', {
    flag: 'ftp-concurrency',
    advanced,
  }),
  noCheckCertificate: option(bool, false, "Don't check the certificate of the server; this is not safe", {
    flag: 'ftp-no-check-certificate',
    advanced,
  }),
  disableEpsv: option(bool, false, "Don't use EPSV, even if the server has it", { flag: 'ftp-disable-epsv', advanced }),
  disableMlsd: option(bool, false, "Don't use MLSD, even if the server has it", { flag: 'ftp-disable-mlsd', advanced }),
  disableUtf8: option(bool, false, "Don't use UTF-8 for names, even if the server has it", {
    flag: 'ftp-disable-utf8',
    advanced,
  }),
  writingMdtm: option(bool, false, 'Set modification times by MDTM, as vsftpd does', {
    flag: 'ftp-writing-mdtm',
    advanced,
  }),
  forceListHidden: option(bool, false, 'Use LIST -a, so that names with a dot in front are listed; turns MLSD off', {
    flag: 'ftp-force-list-hidden',
    advanced,
  }),
  idleTimeout: option(duration, 60_000, 'Close connections that were not used for this long; 0 keeps them', {
    flag: 'ftp-idle-timeout',
    advanced,
  }),
  closeTimeout: option(duration, 60_000, 'Time to wait for the last word of the server about a transfer', {
    flag: 'ftp-close-timeout',
    advanced,
  }),
  shutTimeout: option(duration, 60_000, 'Time to wait for the same when the transfer was left before its end', {
    flag: 'ftp-shut-timeout',
    advanced,
  }),
  disableTls13: option(bool, false, "Don't use TLS 1.3, for servers that fail with it", {
    flag: 'ftp-disable-tls13',
    advanced,
  }),
  socksProxy: option(string, '', 'SOCKS 5 proxy to connect through, [user[:pass]@]host:port', {
    flag: 'ftp-socks-proxy',
    advanced,
    secret: true,
  }),
  httpProxy: option(string, '', 'HTTP proxy with CONNECT to connect through, http://[user:pass@]host:port', {
    flag: 'ftp-http-proxy',
    advanced,
    secret: true,
  }),
  encoding: encodingOption('ftp-encoding', 'Slash,Del,Ctl,RightSpace,Dot'),
})

/** Files of an FTP server, with TLS or without. */
export const ftpBackend = defineBackend({
  name: 'ftp',
  description: 'FTP',
  options: ftpOptions,
  async open(ctx, args) {
    const { openFtp } = await import('./remote.ts')
    return await openFtp(ctx, args)
  },
})
