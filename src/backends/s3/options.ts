import { encodingOption } from '../../remote/encoding.ts'
import { defineOptions, option, type Values } from '../../schema/option.ts'
import { bool, duration, int, oneOf, size, string, tristate } from '../../schema/values.ts'
import { providers } from './providers.ts'

const MIB = 1024 * 1024
const advanced = true
const secret = true
/** Profiles may name a program that gives the keys. */
const exec = true

/** The settings of one S3 remote, named and with the defaults as rclone's. */
export type S3Options = Values<typeof s3Options>

/** Who may read what is stored, as all stores that know such words call it. */
const acls = [
  { value: 'private', help: 'The owner alone' },
  { value: 'public-read', help: 'Everybody may read' },
  { value: 'public-read-write', help: 'Everybody may read and write' },
  { value: 'authenticated-read', help: 'Everybody with an account of the store may read' },
]

export const s3Options = defineOptions('s3', {
  provider: option(string, '', 'Whose S3 it is: what is known of it is taken into account', {
    flag: 's3-provider',
    examples: Object.entries(providers).map(([value, { title }]) => ({ value, help: title })),
  }),
  envAuth: option(bool, false, 'Take the keys from the environment: AWS variables, profiles, roles of the machine', {
    flag: 's3-env-auth',
    exec,
  }),
  accessKeyId: option(string, '', 'Id of the access key; without it everything is asked for anonymously', {
    flag: 's3-access-key-id',
    secret,
  }),
  secretAccessKey: option(string, '', 'Secret of the access key', { flag: 's3-secret-access-key', secret }),
  region: option(string, '', 'Region of the buckets, such as "eu-central-1"', { flag: 's3-region' }),
  endpoint: option(string, '', 'URL or host of the store; needed unless the provider has a known one', {
    flag: 's3-endpoint',
  }),
  locationConstraint: option(string, '', 'Region in which new buckets are made', { flag: 's3-location-constraint' }),
  acl: option(string, '', 'Canned ACL of new files, and of new buckets', {
    flag: 's3-acl',
    examples: [
      ...acls,
      { value: 'bucket-owner-read', help: 'The owner of the bucket may read too' },
      { value: 'bucket-owner-full-control', help: 'The owner of the bucket may do all that the owner may' },
    ],
  }),
  bucketAcl: option(string, '', 'Canned ACL of new buckets, if it is another one', {
    flag: 's3-bucket-acl',
    advanced,
    examples: acls,
  }),
  requesterPays: option(bool, false, 'Pay for requests to buckets whose owner wants that', {
    flag: 's3-requester-pays',
    advanced,
  }),
  serverSideEncryption: option(string, '', 'How the store encrypts new files', {
    flag: 's3-server-side-encryption',
    examples: [
      { value: 'AES256', help: 'With keys of its own' },
      { value: 'aws:kms', help: 'With a key of the key service' },
    ],
  }),
  sseKmsKeyId: option(string, '', 'Key of the key service for "aws:kms"', { flag: 's3-sse-kms-key-id', secret }),
  sseCustomerAlgorithm: option(string, '', 'Encryption with a key that the store does not keep: "AES256"', {
    flag: 's3-sse-customer-algorithm',
    advanced,
  }),
  sseCustomerKey: option(string, '', 'That key, 32 bytes', { flag: 's3-sse-customer-key', advanced, secret }),
  sseCustomerKeyBase64: option(string, '', 'That key in base64', {
    flag: 's3-sse-customer-key-base64',
    advanced,
    secret,
  }),
  sseCustomerKeyMd5: option(string, '', 'MD5 of that key in base64; computed when it is not given', {
    flag: 's3-sse-customer-key-md5',
    advanced,
    secret,
  }),
  storageClass: option(string, '', 'Storage class of new files', {
    flag: 's3-storage-class',
    examples: [
      { value: 'STANDARD', help: 'In daily use' },
      { value: 'STANDARD_IA', help: 'Read seldom' },
      { value: 'ONEZONE_IA', help: 'Read seldom, kept in one place' },
      { value: 'INTELLIGENT_TIERING', help: 'The store decides' },
      { value: 'GLACIER_IR', help: 'An archive that is read at once' },
      { value: 'GLACIER', help: 'An archive from which files are restored first' },
      { value: 'DEEP_ARCHIVE', help: 'The same, slower and cheaper' },
      { value: 'REDUCED_REDUNDANCY', help: 'In fewer copies' },
    ],
  }),
  uploadCutoff: option(size, 200 * MIB, 'Files from this size on are uploaded in parts', {
    flag: 's3-upload-cutoff',
    advanced,
  }),
  chunkSize: option(size, 5 * MIB, 'Size of a part; a larger file has larger ones, so that there are not too many', {
    flag: 's3-chunk-size',
    advanced,
  }),
  maxUploadParts: option(int, 10_000, 'Most parts of one upload', { flag: 's3-max-upload-parts', advanced }),
  copyCutoff: option(size, 4768 * MIB, 'Files above this size are copied by the store in parts of it', {
    flag: 's3-copy-cutoff',
    advanced,
  }),
  disableChecksum: option(bool, false, "Don't store the MD5 of files that are uploaded in parts", {
    flag: 's3-disable-checksum',
    advanced,
  }),
  sharedCredentialsFile: option(string, '', 'File of profiles for env_auth, instead of ~/.aws/credentials', {
    flag: 's3-shared-credentials-file',
    advanced,
    exec,
  }),
  profile: option(string, '', 'Profile of that file, instead of "default"', {
    flag: 's3-profile',
    advanced,
    exec,
  }),
  sessionToken: option(string, '', 'Token of keys that hold for a time only', {
    flag: 's3-session-token',
    advanced,
    secret,
  }),
  roleArn: option(string, '', 'ARN of a role to take on with these keys; its own keys are asked for anew in time', {
    flag: 's3-role-arn',
    advanced,
  }),
  roleSessionName: option(string, '', 'Name under which the owner of that role sees what is done', {
    flag: 's3-role-session-name',
    advanced,
  }),
  roleSessionDuration: option(
    duration,
    0,
    'How long keys of the role are good for, 15m to 12h; 0 = as the service likes',
    {
      flag: 's3-role-session-duration',
      advanced,
    },
  ),
  roleExternalId: option(string, '', 'Id that the owner of the role wants to be told', {
    flag: 's3-role-external-id',
    advanced,
    secret,
  }),
  stsEndpoint: option(string, '', 'URL of the service that gives keys of a role, if it is not that of AWS', {
    flag: 's3-sts-endpoint',
    advanced,
  }),
  uploadConcurrency: option(int, 4, 'Parts of one file that are under way at once; each is held in memory', {
    flag: 's3-upload-concurrency',
    advanced,
  }),
  forcePathStyle: option(bool, true, 'Put buckets into the path, where the provider does not want them in the host', {
    flag: 's3-force-path-style',
    advanced,
  }),
  v2Auth: option(bool, false, 'Sign in the old way, version 2, for old stores', { flag: 's3-v2-auth', advanced }),
  useAccelerateEndpoint: option(bool, false, 'Use the accelerated endpoint of AWS', {
    flag: 's3-use-accelerate-endpoint',
    advanced,
  }),
  useDualStack: option(bool, false, 'Use the endpoints of AWS that have IPv6 as well', {
    flag: 's3-use-dual-stack',
    advanced,
  }),
  useArnRegion: option(
    bool,
    false,
    'Ask an access point, named by its ARN instead of a bucket, in the region of that ARN',
    {
      flag: 's3-use-arn-region',
      advanced,
    },
  ),
  leavePartsOnError: option(bool, false, 'Keep the parts of an upload that failed', {
    flag: 's3-leave-parts-on-error',
    advanced,
  }),
  listChunk: option(int, 1000, 'Entries that one request for a listing asks for', { flag: 's3-list-chunk', advanced }),
  listVersion: option(int, 0, 'Form of listings: 1, 2, or 0 for what the provider knows', {
    flag: 's3-list-version',
    advanced,
  }),
  listUrlEncode: option(tristate, undefined, 'Ask for encoded names in listings, so that control characters survive', {
    flag: 's3-list-url-encode',
    advanced,
  }),
  noCheckBucket: option(bool, false, "Don't look whether a bucket exists, and don't make it", {
    flag: 's3-no-check-bucket',
    advanced,
  }),
  noHead: option(bool, false, "Don't look at a file after its upload; what the answer to it says is always trusted", {
    flag: 's3-no-head',
    advanced,
  }),
  noHeadObject: option(bool, false, 'Look a file up by a listing instead of HEAD: its own time is not known then', {
    flag: 's3-no-head-object',
    advanced,
  }),
  encoding: encodingOption('s3-encoding', 'Slash,InvalidUtf8,Dot'),
  downloadUrl: option(string, '', 'URL to download from instead of the endpoint, such as that of a CDN', {
    flag: 's3-download-url',
    advanced,
  }),
  directoryMarkers: option(bool, false, 'Keep empty folders as objects whose names end in a slash', {
    flag: 's3-directory-markers',
    advanced,
  }),
  useMultipartEtag: option(tristate, undefined, 'Check the ETag of an upload in parts', {
    flag: 's3-use-multipart-etag',
    advanced,
  }),
  usePresignedRequest: option(bool, false, 'Upload small files by a signed URL, without headers of a login', {
    flag: 's3-use-presigned-request',
    advanced,
  }),
  decompress: option(bool, false, 'Unpack files that are kept in gzip; their size and MD5 are not known then', {
    flag: 's3-decompress',
    advanced,
  }),
  objectLockMode: option(oneOf('', 'GOVERNANCE', 'COMPLIANCE'), '', 'Mode in which new files are locked', {
    flag: 's3-object-lock-mode',
    advanced,
  }),
  objectLockRetainUntilDate: option(string, '', 'Until when: a time, or how long from now, such as "365d"', {
    flag: 's3-object-lock-retain-until-date',
    advanced,
  }),
  objectLockLegalHoldStatus: option(oneOf('', 'ON', 'OFF'), '', 'Lock new files without an end', {
    flag: 's3-object-lock-legal-hold-status',
    advanced,
  }),
  bypassGovernanceRetention: option(bool, false, 'Remove files that are locked in the mode GOVERNANCE', {
    flag: 's3-bypass-governance-retention',
    advanced,
  }),
  bucketObjectLockEnabled: option(bool, false, 'Make new buckets so that files in them can be locked', {
    flag: 's3-bucket-object-lock-enabled',
    advanced,
  }),
  versions: option(bool, false, 'Show old versions of files too, with their time in the name', {
    flag: 's3-versions',
    advanced,
  }),
  versionAt: option(string, '', 'Show files as they were at this time, or this long ago; nothing can be changed then', {
    flag: 's3-version-at',
    advanced,
  }),
})
