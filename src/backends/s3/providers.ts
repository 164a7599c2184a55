/** How a kind of store differs from the first of its kind. What is absent is as at AWS. */
export interface Quirks {
  /** For people. */
  readonly title: string
  /** Its host for a region, where nothing is set; the one with IPv6 as well, where there are two. */
  readonly host?: (region: string, dualStack: boolean) => string
  /** Buckets are the first part of the path and not of the host name. */
  readonly pathStyle?: true
  /** Knows only the first form of listings. */
  readonly oldListing?: true
  /** Does not percent-encode the names of a listing on request. */
  readonly plainListing?: true
  /** The ETag of an upload in parts is not made of the MD5 of its parts. */
  readonly otherMultipartEtag?: true
  readonly maxParts?: number
  readonly minChunk?: number
}

/** What `provider` may be, in the words of rclone, and what is peculiar to each. */
export const providers: Readonly<Record<string, Quirks>> = {
  AWS: {
    title: 'Amazon Web Services',
    host: (region, dualStack) =>
      `s3.${dualStack ? 'dualstack.' : ''}${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`,
  },
  Alibaba: { title: 'Alibaba Cloud Object Storage', otherMultipartEtag: true },
  ArvanCloud: { title: 'Arvan Cloud', pathStyle: true, oldListing: true, plainListing: true },
  Backblaze: {
    title: 'Backblaze B2 over S3',
    host: (region) => `s3.${region}.backblazeb2.com`,
    pathStyle: true,
    plainListing: true,
  },
  Ceph: { title: 'Ceph Object Gateway', pathStyle: true, oldListing: true, plainListing: true },
  ChinaMobile: { title: 'China Mobile Ecloud', pathStyle: true, oldListing: true, plainListing: true },
  Cloudflare: { title: 'Cloudflare R2', pathStyle: true, otherMultipartEtag: true },
  DigitalOcean: {
    title: 'DigitalOcean Spaces',
    host: (region) => `${region}.digitaloceanspaces.com`,
    plainListing: true,
  },
  Dreamhost: { title: 'DreamHost DreamObjects', host: (region) => `s3.${region}.dream.io`, plainListing: true },
  GCS: { title: 'Google Cloud Storage over S3', host: () => 'storage.googleapis.com', otherMultipartEtag: true },
  HuaweiOBS: {
    title: 'Huawei Object Storage Service',
    host: (region) => `obs.${region}.myhuaweicloud.com`,
    oldListing: true,
    plainListing: true,
  },
  IBMCOS: {
    title: 'IBM Cloud Object Storage',
    pathStyle: true,
    oldListing: true,
    plainListing: true,
    otherMultipartEtag: true,
  },
  IDrive: { title: 'IDrive e2', pathStyle: true },
  IONOS: { title: 'IONOS Cloud', pathStyle: true, plainListing: true },
  Leviia: { title: 'Leviia Object Storage', host: () => 's3.leviia.com' },
  Liara: { title: 'Liara Object Storage', pathStyle: true, plainListing: true, otherMultipartEtag: true },
  Linode: { title: 'Linode Object Storage', host: (region) => `${region}.linodeobjects.com` },
  LyveCloud: { title: 'Seagate Lyve Cloud', otherMultipartEtag: true },
  Magalu: {
    title: 'Magalu Object Storage',
    host: (region) => `${region}.magaluobjects.com`,
    plainListing: true,
    otherMultipartEtag: true,
  },
  Minio: { title: 'MinIO', pathStyle: true },
  Netease: { title: 'Netease Object Storage', oldListing: true, plainListing: true, otherMultipartEtag: true },
  Outscale: { title: 'OUTSCALE Object Storage', host: (region) => `oos.${region}.outscale.com` },
  Petabox: { title: 'Petabox Object Storage', host: () => 's3.petabox.io' },
  Qiniu: { title: 'Qiniu Kodo', pathStyle: true, plainListing: true, otherMultipartEtag: true },
  RackCorp: { title: 'RackCorp Object Storage', host: () => 's3.rackcorp.com', otherMultipartEtag: true },
  Rclone: { title: 'rclone serve s3', pathStyle: true, otherMultipartEtag: true },
  Scaleway: {
    title: 'Scaleway Object Storage',
    host: (region) => `s3.${region}.scw.cloud`,
    plainListing: true,
    maxParts: 1000,
  },
  SeaweedFS: { title: 'SeaweedFS', pathStyle: true, oldListing: true, plainListing: true, otherMultipartEtag: true },
  StackPath: {
    title: 'StackPath Object Storage',
    pathStyle: true,
    oldListing: true,
    plainListing: true,
    otherMultipartEtag: true,
  },
  Storj: { title: 'Storj over its S3 gateway', host: () => 'gateway.storjshare.io', minChunk: 64 * 1024 * 1024 },
  Synology: { title: 'Synology C2', host: (region) => `${region}.s3.synologyc2.net` },
  TencentCOS: {
    title: 'Tencent Cloud Object Storage',
    host: (region) => `cos.${region}.myqcloud.com`,
    oldListing: true,
    otherMultipartEtag: true,
  },
  Wasabi: {
    title: 'Wasabi Object Storage',
    host: (region) => (region === 'us-east-1' ? 's3.wasabisys.com' : `s3.${region}.wasabisys.com`),
  },
  Other: {
    title: 'Any other store that speaks S3',
    pathStyle: true,
    oldListing: true,
    plainListing: true,
    otherMultipartEtag: true,
  },
}

/** The quirks of the store that the options name; of one that nobody knows those of `Other`. */
export function quirksOf({ provider, endpoint }: { readonly provider: string; readonly endpoint: string }): Quirks {
  // Where nothing is said, the store of the first of its kind is meant.
  const name = provider === '' && endpoint === '' ? 'aws' : provider.toLowerCase()
  const known = Object.entries(providers).find(([word]) => word.toLowerCase() === name)
  return known?.[1] ?? (providers.Other as Quirks)
}
