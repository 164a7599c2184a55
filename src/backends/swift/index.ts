import { defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, int, oneOf, size, string } from '../../schema/values.ts'

const advanced = true

export const swiftOptions = defineOptions('swift', {
  envAuth: option(bool, false, 'Take what is not set here from the variables of OpenStack, OS_USERNAME and so on', {
    flag: 'swift-env-auth',
  }),
  user: option(string, '', 'User name (OS_USERNAME)', { flag: 'swift-user' }),
  key: option(string, '', 'Key or password (OS_PASSWORD)', { flag: 'swift-key', secret: true }),
  auth: option(string, '', 'URL of the login (OS_AUTH_URL)', {
    flag: 'swift-auth',
    examples: [
      { value: 'https://auth.cloud.ovh.net/v3', help: 'OVH' },
      { value: 'https://identity.api.rackspacecloud.com/v2.0', help: 'Rackspace' },
      { value: 'https://auth.storage.memset.com/v1.0', help: 'Memset Memstore' },
    ],
  }),
  userId: option(string, '', 'Id of the user, instead of the name (OS_USER_ID)', { flag: 'swift-user-id' }),
  domain: option(string, '', 'Domain of the user, for version 3 (OS_USER_DOMAIN_NAME)', { flag: 'swift-domain' }),
  tenant: option(string, '', 'Name of the project (OS_PROJECT_NAME, OS_TENANT_NAME)', { flag: 'swift-tenant' }),
  tenantId: option(string, '', 'Id of the project (OS_PROJECT_ID, OS_TENANT_ID)', { flag: 'swift-tenant-id' }),
  tenantDomain: option(string, '', 'Domain of the project, for version 3 (OS_PROJECT_DOMAIN_NAME)', {
    flag: 'swift-tenant-domain',
  }),
  region: option(string, '', 'Region, when there are several (OS_REGION_NAME)', { flag: 'swift-region' }),
  storageUrl: option(string, '', 'URL of the account, instead of what the login says (OS_STORAGE_URL)', {
    flag: 'swift-storage-url',
  }),
  authToken: option(string, '', 'Token that was got elsewhere; with storage_url (OS_AUTH_TOKEN)', {
    flag: 'swift-auth-token',
    secret: true,
  }),
  applicationCredentialId: option(string, '', 'Id of an application credential (OS_APPLICATION_CREDENTIAL_ID)', {
    flag: 'swift-application-credential-id',
  }),
  applicationCredentialName: option(string, '', 'Name of an application credential (OS_APPLICATION_CREDENTIAL_NAME)', {
    flag: 'swift-application-credential-name',
  }),
  applicationCredentialSecret: option(string, '', 'Its secret (OS_APPLICATION_CREDENTIAL_SECRET)', {
    flag: 'swift-application-credential-secret',
    secret: true,
  }),
  authVersion: option(int, 0, 'Version of the login, 1 to 3, when its URL does not tell (ST_AUTH_VERSION)', {
    flag: 'swift-auth-version',
  }),
  endpointType: option(oneOf('public', 'internal', 'admin'), 'public', 'Which endpoint to use (OS_ENDPOINT_TYPE)', {
    flag: 'swift-endpoint-type',
  }),
  storagePolicy: option(string, '', 'Storage policy of new containers', { flag: 'swift-storage-policy' }),
  leavePartsOnError: option(bool, false, 'Leave the segments of an upload that breaks', {
    flag: 'swift-leave-parts-on-error',
    advanced,
  }),
  chunkSize: option(size, 5 * 1024 ** 3, 'Larger files are kept in segments of this size, at most 5 GiB', {
    flag: 'swift-chunk-size',
    advanced,
  }),
  noChunk: option(bool, false, "Don't use segments when the size of a file is not known beforehand", {
    flag: 'swift-no-chunk',
    advanced,
  }),
  noLargeObjects: option(bool, false, 'There are no files in segments, and none are made: saves requests', {
    flag: 'swift-no-large-objects',
    advanced,
  }),
  encoding: encodingOption('swift-encoding', 'Slash,InvalidUtf8'),
})

/** Containers of OpenStack Swift. */
export const swiftBackend = defineBackend({
  name: 'swift',
  description: 'OpenStack Swift (Rackspace Cloud Files, Memset Memstore, OVH)',
  options: swiftOptions,
  async open(ctx, args) {
    const { openSwift } = await import('./remote.ts')
    return openSwift(ctx, args)
  },
})
