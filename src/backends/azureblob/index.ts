import { defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, int, oneOf, size, string } from '../../schema/values.ts'

const advanced = true

export const azureblobOptions = defineOptions('azureblob', {
  account: option(string, '', 'Name of the storage account', { flag: 'azureblob-account' }),
  envAuth: option(
    bool,
    false,
    'Log in with what the environment says: AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY, AZURE_TENANT_ID with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, else the managed identity of this machine',
    { flag: 'azureblob-env-auth' },
  ),
  key: option(string, '', 'Key of the storage account; without it and the like, only public containers can be read', {
    flag: 'azureblob-key',
    secret: true,
  }),
  sasUrl: option(string, '', 'SAS URL of the account or of one container', {
    flag: 'azureblob-sas-url',
    secret: true,
  }),
  connectionString: option(string, '', 'Connection string of the account', {
    flag: 'azureblob-connection-string',
    secret: true,
  }),
  tenant: option(string, '', 'Directory (tenant) of the application that logs in', { flag: 'azureblob-tenant' }),
  clientId: option(string, '', 'Id of the application that logs in', { flag: 'azureblob-client-id' }),
  clientSecret: option(string, '', 'Secret of the application that logs in', {
    flag: 'azureblob-client-secret',
    secret: true,
  }),
  useMsi: option(bool, false, 'Log in as the managed identity of this machine, within Azure', {
    flag: 'azureblob-use-msi',
    advanced,
  }),
  msiObjectId: option(string, '', 'Object id of the managed identity, when there are several', {
    flag: 'azureblob-msi-object-id',
    advanced,
  }),
  msiClientId: option(string, '', 'Client id of the managed identity, when there are several', {
    flag: 'azureblob-msi-client-id',
    advanced,
  }),
  msiMiResId: option(string, '', 'Azure resource id of the managed identity, when there are several', {
    flag: 'azureblob-msi-mi-res-id',
    advanced,
  }),
  useEmulator: option(bool, false, 'Use the emulator on this machine (Azurite)', {
    flag: 'azureblob-use-emulator',
    advanced,
  }),
  endpoint: option(string, '', 'Endpoint of the service; by default that of the account in the public cloud', {
    flag: 'azureblob-endpoint',
    advanced,
  }),
  chunkSize: option(size, 4 * 1024 * 1024, 'Larger files go up in chunks of this size, which are held in memory', {
    flag: 'azureblob-chunk-size',
    advanced,
  }),
  uploadConcurrency: option(int, 16, 'Chunks of one file that go up at a time', {
    flag: 'azureblob-upload-concurrency',
    advanced,
  }),
  listChunk: option(int, 5000, 'Blobs in one answer to a listing', { flag: 'azureblob-list-chunk', advanced }),
  accessTier: option(string, '', 'Access tier of new blobs: hot, cool, cold or archive', {
    flag: 'azureblob-access-tier',
    advanced,
  }),
  archiveTierDelete: option(bool, false, 'Delete a blob in the archive tier before it is replaced', {
    flag: 'azureblob-archive-tier-delete',
    advanced,
  }),
  disableChecksum: option(bool, false, "Don't store the MD5 of files that go up in chunks", {
    flag: 'azureblob-disable-checksum',
    advanced,
  }),
  encoding: encodingOption('azureblob-encoding', 'Slash,BackSlash,Del,Ctl,RightPeriod,InvalidUtf8'),
  publicAccess: option(oneOf('', 'blob', 'container'), '', 'Who may read new containers without a login', {
    flag: 'azureblob-public-access',
    advanced,
    examples: [
      { value: '', help: 'Nobody' },
      { value: 'blob', help: 'Everybody, whoever knows the name of a blob' },
      { value: 'container', help: 'Everybody, and they may list it too' },
    ],
  }),
  directoryMarkers: option(bool, false, 'Keep an empty blob for each directory, so that it may be empty', {
    flag: 'azureblob-directory-markers',
    advanced,
  }),
  noCheckContainer: option(bool, false, "Don't look whether a container is there before something is put into it", {
    flag: 'azureblob-no-check-container',
    advanced,
  }),
  deleteSnapshots: option(oneOf('', 'include', 'only'), '', 'What becomes of the snapshots of a blob that is deleted', {
    flag: 'azureblob-delete-snapshots',
    advanced,
    examples: [
      { value: '', help: 'Fail when there are some' },
      { value: 'include', help: 'Delete them too' },
      { value: 'only', help: 'Delete them, and keep the blob' },
    ],
  }),
})

/** Containers of Azure Blob Storage. */
export const azureblobBackend = defineBackend({
  name: 'azureblob',
  description: 'Microsoft Azure Blob Storage',
  options: azureblobOptions,
  async open(ctx, args) {
    const { openAzure } = await import('./remote.ts')
    return openAzure(ctx, args)
  },
})
