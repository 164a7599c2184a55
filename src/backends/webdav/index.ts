import { defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, commaList, size, spaceList, string } from '../../schema/values.ts'

const advanced = true

export const webdavOptions = defineOptions('webdav', {
  url: option(string, '', 'URL of the directory, such as "https://example.com/dav/"', {
    flag: 'webdav-url',
    required: true,
  }),
  vendor: option(string, '', 'Which server it is: tells what it can do beyond the standard', {
    flag: 'webdav-vendor',
    examples: [
      { value: 'fastmail', help: 'Fastmail Files' },
      { value: 'nextcloud', help: 'Nextcloud; with a URL such as https://HOST/remote.php/dav/files/USER/' },
      { value: 'owncloud', help: 'ownCloud 10' },
      { value: 'infinitescale', help: 'ownCloud Infinite Scale' },
      { value: 'sharepoint', help: 'SharePoint Online, with a Cookie in headers or a bearer token' },
      { value: 'rclone', help: 'rclone serve webdav' },
      { value: 'other', help: 'Any other server' },
    ],
  }),
  user: option(string, '', 'User name', { flag: 'webdav-user' }),
  pass: option(string, '', 'Password', { flag: 'webdav-pass', password: true, secret: true }),
  bearerToken: option(string, '', 'Bearer token instead of user and password', {
    flag: 'webdav-bearer-token',
    secret: true,
  }),
  bearerTokenCommand: option(spaceList, [], 'Program that prints a bearer token, with its arguments', {
    flag: 'webdav-bearer-token-command',
    exec: true,
    advanced,
  }),
  encoding: encodingOption('webdav-encoding', 'None'),
  headers: option(commaList, [], 'Headers to send, as name,value,name,value ...', {
    flag: 'webdav-headers',
    secret: true,
    advanced,
  }),
  nextcloudChunkSize: option(size, 10 * 1024 * 1024, 'Files larger than this go to Nextcloud in chunks; 0 = never', {
    flag: 'webdav-nextcloud-chunk-size',
    advanced,
  }),
  owncloudExcludeShares: option(bool, false, 'Leave out what others share with the user', {
    flag: 'webdav-owncloud-exclude-shares',
    advanced,
  }),
  owncloudExcludeMounts: option(bool, false, 'Leave out storage that is mounted in the tree', {
    flag: 'webdav-owncloud-exclude-mounts',
    advanced,
  }),
  authRedirect: option(bool, false, 'Send the login to another host too when a download is redirected to it', {
    flag: 'webdav-auth-redirect',
    advanced,
  }),
  unixSocket: option(string, '', 'Path of a unix socket to connect to, instead of the host of the URL', {
    flag: 'webdav-unix-socket',
    advanced,
  }),
})

/** A tree on a WebDAV server: Nextcloud, ownCloud, Apache, rclone and others. */
export const webdavBackend = defineBackend({
  name: 'webdav',
  description: 'WebDAV',
  options: webdavOptions,
  async open(ctx, args) {
    const { WebdavRemote } = await import('./remote.ts')
    return WebdavRemote.open(ctx, args)
  },
})
