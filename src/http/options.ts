import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, duration, int, oneOf, string, strings } from '../schema/values.ts'

const SECOND = 1000
const HOUR = 3_600_000
const group = 'HTTP server'

/** Lowest versions of TLS that may be asked for. */
export const tlsVersions = ['tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'] as const

/** Where a server listens, and what it bears from its clients. rclone's names and defaults where it has them (serve-http.md 1.10). */
export const httpOptions = defineOptions('http', {
  addr: option(
    strings,
    ['127.0.0.1:8080'],
    'Address to listen on: host:port, :port for all interfaces, port 0 for any free one, or the path of a unix socket. ' +
      'tls:// before it asks for TLS, http:// for none. Give it several times to listen on several',
    { rc: 'ListenAddr', group },
  ),
  baseurl: option(string, '', 'URL prefix to serve under, when a proxy passes on only a part of its URLs', {
    rc: 'BaseURL',
    group,
  }),
  cert: option(string, '', 'TLS certificate, a PEM file with its chain; read anew when it changes', {
    rc: 'TLSCert',
    group,
  }),
  key: option(string, '', 'Private key of the TLS certificate, a PEM file', { rc: 'TLSKey', group }),
  clientCa: option(
    string,
    '',
    'PEM file of the authorities that client certificates must be signed by; clients without one are refused',
    { flag: 'client-ca', rc: 'ClientCA', group },
  ),
  minTlsVersion: option(oneOf(...tlsVersions), 'tls1.2', 'Lowest version of TLS to accept', {
    flag: 'min-tls-version',
    rc: 'MinTLSVersion',
    group,
  }),
  http2: option(oneOf('on', 'off'), 'on', 'Speak HTTP/2 as well, with TLS or by prior knowledge', {
    flag: 'http2',
    group,
  }),
  serverReadTimeout: option(duration, HOUR, 'Time for a whole request to arrive, with its body; 0 is unlimited', {
    rc: 'ServerReadTimeout',
    group,
  }),
  serverWriteTimeout: option(
    duration,
    Infinity,
    'Time for a whole response to be sent; off is unlimited, --write-idle then ends stalled ones',
    { rc: 'ServerWriteTimeout', group },
  ),
  headerTimeout: option(duration, 10 * SECOND, 'Time for the head of a request to arrive', { group, advanced: true }),
  bodyIdle: option(duration, 30 * SECOND, 'Longest pause in the body of a request; off is unlimited', {
    group,
    advanced: true,
  }),
  writeIdle: option(duration, 60 * SECOND, 'Longest time in which a client takes nothing of its response', {
    group,
    advanced: true,
  }),
  idleTimeout: option(duration, 65 * SECOND, 'How long to keep an idle connection open', { group, advanced: true }),
  maxHeaderBytes: option(int, 4096, 'Most bytes in the head of a request; 4096 more are let through, as rclone does', {
    rc: 'MaxHeaderBytes',
    group,
  }),
  maxConnections: option(int, 10_000, 'Most connections at a time; 0 is unlimited', { group }),
  maxConnectionsPerIp: option(
    int,
    0,
    'Most busy connections of one address (for IPv6, of one /64 network) at a time; 0 is unlimited',
    { flag: 'max-connections-per-ip', group },
  ),
  maxClientErrors: option(
    int,
    20,
    'Close a connection of HTTP/1 when this many requests to read in a row have failed; 0 is never. Uploads do not count',
    { group, advanced: true },
  ),
  noKeepalive: option(bool, false, 'Close each connection of HTTP/1 after one answer', { group, advanced: true }),
  shutdownTimeout: option(duration, 10 * SECOND, 'How long requests may go on after the server was told to end', {
    group,
  }),
  allowOrigin: option(
    strings,
    [],
    'Origin whose web pages may read what is served (CORS); * for any. Give it several times to allow several',
    { rc: 'AllowOrigin', asText: true, group },
  ),
  responseHeader: option(strings, [], 'Header to add to every response, as "Name: value"; can be given several times', {
    aliases: ['header'],
    rc: 'ResponseHeaders',
    group,
  }),
  serverName: option(string, 'sluice', 'Server header; sluice is sent with its version, "" leaves it out', {
    group,
    advanced: true,
  }),
  allowedHosts: option(
    strings,
    [],
    'Host name that requests may be for; none given is any. Give it several times to allow several',
    { group, advanced: true },
  ),
  accessLog: option(string, '', 'File to write a line to for each request; - is standard output', { group }),
  accessLogFormat: option(oneOf('common', 'combined', 'json'), 'combined', 'Form of the lines of --access-log', {
    group,
  }),
})

/** The values of the block. */
export type HttpOptions = Values<typeof httpOptions>
