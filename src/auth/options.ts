import { defineOptions, option, type Values } from '../schema/option.ts'
import { commaList, password, spaceList, string } from '../schema/values.ts'

const group = 'Authentication'

/** Who may use a server. rclone's names (serve-http.md 1.8). */
export const authOptions = defineOptions('auth', {
  htpasswd: option(string, '', 'File of users and password hashes (bcrypt, MD5, SHA); read anew when it changes', {
    rc: 'HtPasswd',
    group,
  }),
  gpacUsers: option(
    string,
    '',
    'File of users and groups as gpac -creds writes it (users.cfg), instead of --htpasswd; read anew when it changes',
    { group },
  ),
  user: option(string, '', 'The one user that may log in', { rc: 'BasicUser', group }),
  pass: option(password, '', 'Password of --user', { rc: 'BasicPass', secret: true, group }),
  realm: option(string, '', 'Name that a browser shows when it asks for a password', { rc: 'Realm', group }),
  salt: option(string, 'dlPL2MqE', 'Accepted for compatibility: passwords given by --pass are compared without one', {
    rc: 'Salt',
    group,
    advanced: true,
  }),
  userFromHeader: option(string, '', 'Header in which a trusted proxy names the user it has authenticated', {
    rc: 'UserFromHeader',
    group,
  }),
  trustedProxies: option(
    commaList,
    ['127.0.0.0/8', '::1/128'],
    'Addresses of proxies whose --user-from-header is believed, as CIDR (comma separated); unix sockets always are',
    { group },
  ),
  authProxy: option(
    spaceList,
    [],
    'Program that is given user and password as JSON and answers with the configuration of that user’s remote',
    { rc: 'AuthProxy', exec: true, group },
  ),
})

/** The values of the block. */
export type AuthOptions = Values<typeof authOptions>
