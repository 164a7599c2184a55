/** How a kind of store differs from the first of its kind. What is absent is as at AWS. */
export interface Quirks {
  /** Its host for a region, where nothing is set. */
  readonly host?: (region: string) => string
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
  AWS: { host: (region) => `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}` },
  Alibaba: { otherMultipartEtag: true },
  ArvanCloud: { pathStyle: true, oldListing: true, plainListing: true },
  Backblaze: { host: (region) => `s3.${region}.backblazeb2.com`, pathStyle: true, plainListing: true },
  Ceph: { pathStyle: true, oldListing: true, plainListing: true },
  ChinaMobile: { pathStyle: true, oldListing: true, plainListing: true },
  Cloudflare: { pathStyle: true, otherMultipartEtag: true },
  DigitalOcean: { host: (region) => `${region}.digitaloceanspaces.com`, plainListing: true },
  Dreamhost: { host: (region) => `s3.${region}.dream.io`, plainListing: true },
  GCS: { host: () => 'storage.googleapis.com', otherMultipartEtag: true },
  HuaweiOBS: { host: (region) => `obs.${region}.myhuaweicloud.com`, oldListing: true, plainListing: true },
  IBMCOS: { pathStyle: true, oldListing: true, plainListing: true, otherMultipartEtag: true },
  IDrive: { pathStyle: true },
  IONOS: { pathStyle: true, plainListing: true },
  Leviia: { host: () => 's3.leviia.com' },
  Liara: { pathStyle: true, plainListing: true, otherMultipartEtag: true },
  Linode: { host: (region) => `${region}.linodeobjects.com` },
  LyveCloud: { otherMultipartEtag: true },
  Magalu: { host: (region) => `${region}.magaluobjects.com`, plainListing: true, otherMultipartEtag: true },
  Minio: { pathStyle: true },
  Netease: { oldListing: true, plainListing: true, otherMultipartEtag: true },
  Outscale: { host: (region) => `oos.${region}.outscale.com` },
  Petabox: { host: () => 's3.petabox.io' },
  Qiniu: { pathStyle: true, plainListing: true, otherMultipartEtag: true },
  RackCorp: { host: () => 's3.rackcorp.com', otherMultipartEtag: true },
  Rclone: { pathStyle: true, otherMultipartEtag: true },
  Scaleway: { host: (region) => `s3.${region}.scw.cloud`, plainListing: true, maxParts: 1000 },
  SeaweedFS: { pathStyle: true, oldListing: true, plainListing: true, otherMultipartEtag: true },
  StackPath: { pathStyle: true, oldListing: true, plainListing: true, otherMultipartEtag: true },
  Storj: { host: () => 'gateway.storjshare.io', minChunk: 64 * 1024 * 1024 },
  Synology: { host: (region) => `${region}.s3.synologyc2.net` },
  TencentCOS: { host: (region) => `cos.${region}.myqcloud.com`, oldListing: true, otherMultipartEtag: true },
  Wasabi: { host: (region) => (region === 'us-east-1' ? 's3.wasabisys.com' : `s3.${region}.wasabisys.com`) },
  Other: { pathStyle: true, oldListing: true, plainListing: true, otherMultipartEtag: true },
}

/** The quirks of the store that the options name; of one that nobody knows those of `Other`. */
export function quirksOf({ provider, endpoint }: { readonly provider: string; readonly endpoint: string }): Quirks {
  // Where nothing is said, the store of the first of its kind is meant.
  const name = provider === '' && endpoint === '' ? 'aws' : provider.toLowerCase()
  const known = Object.entries(providers).find(([word]) => word.toLowerCase() === name)
  return known?.[1] ?? (providers.Other as Quirks)
}
