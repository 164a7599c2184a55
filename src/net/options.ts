import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, string, strings } from '../schema/values.ts'

const group = { group: 'Networking' }
/** A password may be in it. */
const hidden = { ...group, secret: true }

/** How remotes are reached over HTTP. */
export const netOptions = defineOptions('net', {
  userAgent: option(string, 'sluice', 'User-Agent to send to remotes', group),
  header: option(strings, [], 'Header to send with each request to a remote, as "Name: value"', {
    rc: 'Headers',
    ...hidden,
  }),
  headerDownload: option(strings, [], 'Header to send with each download from a remote', {
    rc: 'DownloadHeaders',
    ...hidden,
  }),
  headerUpload: option(strings, [], 'Header to send with each upload to a remote', {
    rc: 'UploadHeaders',
    ...hidden,
  }),
  caCert: option(strings, [], 'File of certificates of the authorities that remotes are checked by', group),
  clientCert: option(string, '', 'File of the certificate to show to remotes', group),
  clientKey: option(string, '', 'File of the private key of --client-cert', group),
  noCheckCertificate: option(bool, false, "Don't check the certificates of remotes; this is not safe", {
    rc: 'InsecureSkipVerify',
    ...group,
  }),
  bindAddr: option(string, '', 'Local address for connections to remotes', { flag: 'bind', ...group }),
  httpProxy: option(string, '', 'Proxy for connections to remotes, instead of HTTP_PROXY and HTTPS_PROXY', {
    rc: 'HTTPProxy',
    ...hidden,
  }),
})

export type NetOptions = Values<typeof netOptions>
