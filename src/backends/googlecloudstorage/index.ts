import { defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'

const advanced = true

export const gcsOptions = defineOptions('googlecloudstorage', {
  clientId: option(string, '', 'Id of your own OAuth client, for token', { flag: 'gcs-client-id' }),
  clientSecret: option(string, '', 'Its secret', { flag: 'gcs-client-secret', secret: true }),
  token: option(string, '', 'Login of a user, as JSON; with client_id and client_secret', {
    flag: 'gcs-token',
    secret: true,
    advanced,
  }),
  projectNumber: option(string, '', 'Number of the project: to list and to make buckets', {
    flag: 'gcs-project-number',
  }),
  userProject: option(string, '', 'Project that pays for requests', { flag: 'gcs-user-project' }),
  serviceAccountFile: option(string, '', 'File with the key of a service account', {
    flag: 'gcs-service-account-file',
  }),
  serviceAccountCredentials: option(string, '', 'The key of a service account itself, as JSON', {
    flag: 'gcs-service-account-credentials',
    secret: true,
  }),
  accessToken: option(string, '', 'Access token that was got elsewhere', { flag: 'gcs-access-token', secret: true }),
  anonymous: option(bool, false, 'Read public buckets without a login', { flag: 'gcs-anonymous' }),
  envAuth: option(
    bool,
    false,
    'Log in with what the environment gives: GOOGLE_APPLICATION_CREDENTIALS, gcloud, or the machine',
    { flag: 'gcs-env-auth' },
  ),
  objectAcl: option(string, '', 'Who may see new objects, one of the predefined lists', {
    flag: 'gcs-object-acl',
    examples: [
      { value: 'private', help: 'The owner alone' },
      { value: 'projectPrivate', help: 'The members of the project by their roles' },
      { value: 'authenticatedRead', help: 'Everybody with an account at Google' },
      { value: 'bucketOwnerRead', help: 'The owner of the bucket too' },
      { value: 'bucketOwnerFullControl', help: 'The owner of the bucket too, who may also change it' },
      { value: 'publicRead', help: 'Everybody' },
    ],
  }),
  bucketAcl: option(string, '', 'Who may see new buckets, one of the predefined lists', {
    flag: 'gcs-bucket-acl',
    examples: [
      { value: 'private', help: 'The owner alone' },
      { value: 'projectPrivate', help: 'The members of the project by their roles' },
      { value: 'authenticatedRead', help: 'Everybody with an account at Google' },
      { value: 'publicRead', help: 'Everybody' },
      { value: 'publicReadWrite', help: 'Everybody, who may also change it' },
    ],
  }),
  bucketPolicyOnly: option(bool, false, 'Access is a matter of the bucket: no lists for objects', {
    flag: 'gcs-bucket-policy-only',
  }),
  location: option(string, '', 'Where new buckets are', { flag: 'gcs-location' }),
  storageClass: option(string, '', 'Storage class of new objects and buckets', {
    flag: 'gcs-storage-class',
    examples: [
      { value: 'STANDARD', help: 'In daily use' },
      { value: 'NEARLINE', help: 'Read once a month' },
      { value: 'COLDLINE', help: 'Read once a quarter' },
      { value: 'ARCHIVE', help: 'Read once a year' },
    ],
  }),
  directoryMarkers: option(bool, false, 'Keep an empty object for each directory, so that it may be empty', {
    flag: 'gcs-directory-markers',
    advanced,
  }),
  noCheckBucket: option(bool, false, "Don't look whether a bucket is there before something is put into it", {
    flag: 'gcs-no-check-bucket',
    advanced,
  }),
  decompress: option(bool, false, 'Let the server unpack objects that are kept in gzip; their size is not known then', {
    flag: 'gcs-decompress',
    advanced,
  }),
  endpoint: option(string, '', 'Endpoint of the service', { flag: 'gcs-endpoint', advanced }),
  encoding: encodingOption('gcs-encoding', 'Slash,CrLf,InvalidUtf8,Dot'),
})

/** Buckets of Google Cloud Storage. */
export const gcsBackend = defineBackend({
  name: 'google cloud storage',
  aliases: ['googlecloudstorage', 'gcs'],
  prefix: 'gcs',
  description: 'Google Cloud Storage (this is not Google Drive)',
  options: gcsOptions,
  async open(ctx, args) {
    const { openGcs } = await import('./remote.ts')
    return openGcs(ctx, args)
  },
})
