import { defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, commaList, duration, int, oneOf, size, spaceList, string } from '../../schema/values.ts'

const advanced = true
const obscured = { password: true, secret: true }
/** A command that the server is made to run. */
const command = { exec: true, advanced }

export const sftpOptions = defineOptions('sftp', {
  host: option(string, '', 'Host to connect to, such as "example.com"', { flag: 'sftp-host' }),
  user: option(string, '', 'User to log in as; the user who runs this program if left out', { flag: 'sftp-user' }),
  port: option(int, 22, 'Port of the server', { flag: 'sftp-port' }),
  pass: option(string, '', 'Password; without it and without a key the ssh-agent is asked', {
    flag: 'sftp-pass',
    ...obscured,
  }),
  keyPem: option(string, '', 'Private key itself, as PEM, in one line with \\n for line breaks', {
    flag: 'sftp-key-pem',
    secret: true,
  }),
  keyFile: option(string, '', 'File of the private key; ~ and $VARIABLES stand for what they do in a shell', {
    flag: 'sftp-key-file',
  }),
  keyFilePass: option(string, '', 'Passphrase of the private key', { flag: 'sftp-key-file-pass', ...obscured }),
  hostKeys: option(commaList, [], 'Keys that the server is checked by, each as "algorithm base64"', {
    flag: 'sftp-host-keys',
    advanced,
  }),
  knownHostsFile: option(
    string,
    '',
    'File of the keys that servers are checked by; without it ~/.ssh/known_hosts, and hosts that it lacks are let pass',
    { flag: 'sftp-known-hosts-file', advanced },
  ),
  keyUseAgent: option(bool, false, "Use the ssh-agent; with key_file, of its keys the one in that name's .pub file", {
    flag: 'sftp-key-use-agent',
  }),
  useInsecureCipher: option(bool, false, 'Offer old ciphers and key exchanges too, which are not safe', {
    flag: 'sftp-use-insecure-cipher',
  }),
  disableHashcheck: option(bool, false, 'Run no commands on the server to get checksums', {
    flag: 'sftp-disable-hashcheck',
  }),
  pathOverride: option(
    string,
    '',
    'Path of the remote as commands on the server see it; behind an @, what comes before the path',
    { flag: 'sftp-path-override', advanced },
  ),
  setModtime: option(bool, true, 'Set modification times', { flag: 'sftp-set-modtime', advanced }),
  shellType: option(oneOf('', 'none', 'unix', 'powershell', 'cmd'), '', 'Shell of the server; asked for if left out', {
    flag: 'sftp-shell-type',
    advanced,
    examples: [
      { value: 'none', help: 'It runs no commands' },
      { value: 'unix', help: 'Unix shell' },
      { value: 'powershell', help: 'PowerShell' },
      { value: 'cmd', help: 'Windows Command Prompt' },
    ],
  }),
  hashes: option(commaList, [], 'Checksums to offer, of md5, sha1, crc32 and sha256; md5 and sha1 if left out', {
    flag: 'sftp-hashes',
    advanced,
  }),
  md5sumCommand: option(string, '', 'Command that prints md5 checksums; found out if left out, "none" is no command', {
    flag: 'sftp-md5sum-command',
    ...command,
  }),
  sha1sumCommand: option(string, '', 'Command that prints sha1 checksums', {
    flag: 'sftp-sha1sum-command',
    ...command,
  }),
  crc32sumCommand: option(string, '', 'Command that prints crc32 checksums', {
    flag: 'sftp-crc32sum-command',
    ...command,
  }),
  sha256sumCommand: option(string, '', 'Command that prints sha256 checksums', {
    flag: 'sftp-sha256sum-command',
    ...command,
  }),
  skipLinks: option(bool, false, 'Leave symbolic links out instead of following them', {
    flag: 'sftp-skip-links',
    advanced,
  }),
  subsystem: option(string, 'sftp', 'Name of the SSH subsystem that speaks SFTP', { flag: 'sftp-subsystem', advanced }),
  serverCommand: option(string, '', 'Command that speaks SFTP on the server, instead of the subsystem', {
    flag: 'sftp-server-command',
    ...command,
  }),
  idleTimeout: option(duration, 60_000, 'Close connections that were not used for this long; 0 keeps them', {
    flag: 'sftp-idle-timeout',
    advanced,
  }),
  chunkSize: option(size, 32 * 1024, 'Bytes in one request; 32Ki are more for servers that tell that they take more', {
    flag: 'sftp-chunk-size',
    advanced,
  }),
  concurrency: option(int, 64, 'Requests of chunk_size on their way at once for one file', {
    flag: 'sftp-concurrency',
    advanced,
  }),
  disableConcurrentReads: option(bool, false, 'Read a file by one request after the other', {
    flag: 'sftp-disable-concurrent-reads',
    advanced,
  }),
  disableConcurrentWrites: option(bool, false, 'Write a file by one request after the other', {
    flag: 'sftp-disable-concurrent-writes',
    advanced,
  }),
  connections: option(int, 0, 'Connections at once, which several calls can share; 0 is up to 8', {
    flag: 'sftp-connections',
    advanced,
  }),
  setEnv: option(spaceList, [], 'Environment of the commands that are run on the server, as NAME=value', {
    flag: 'sftp-set-env',
    advanced,
  }),
  socksProxy: option(string, '', 'SOCKS 5 proxy to connect through, [user[:pass]@]host:port', {
    flag: 'sftp-socks-proxy',
    advanced,
    secret: true,
  }),
  httpProxy: option(string, '', 'HTTP proxy with CONNECT to connect through, http://[user:pass@]host:port', {
    flag: 'sftp-http-proxy',
    advanced,
    secret: true,
  }),
  ciphers: option(spaceList, [], 'Ciphers to offer, the best first', { flag: 'sftp-ciphers', advanced }),
  keyExchange: option(spaceList, [], 'Key exchanges to offer, the best first', {
    flag: 'sftp-key-exchange',
    advanced,
  }),
  macs: option(spaceList, [], 'Message authentication codes to offer, the best first', {
    flag: 'sftp-macs',
    advanced,
  }),
  hostKeyAlgorithms: option(spaceList, [], 'Algorithms of host keys to take, the best first', {
    flag: 'sftp-host-key-algorithms',
    advanced,
  }),
  ssh: option(
    spaceList,
    [],
    'Program that connects, with its arguments, such as "ssh -i key user@host": for jump hosts, certificates and ~/.ssh/config',
    { flag: 'sftp-ssh', ...command },
  ),
  encoding: encodingOption('sftp-encoding', 'Raw'),
  copyIsHardlink: option(bool, false, 'Copy within the server by hard links: both names are then one file', {
    flag: 'sftp-copy-is-hardlink',
    advanced,
  }),
})

/** Files of an SSH server. */
export const sftpBackend = defineBackend({
  name: 'sftp',
  description: 'SSH/SFTP',
  options: sftpOptions,
  async open(ctx, args) {
    const { openSftp } = await import('./remote.ts')
    return await openSftp(ctx, args)
  },
})
