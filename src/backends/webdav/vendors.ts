/** What a WebDAV server can do beyond RFC 4918, and where it falls short of it. */
export interface Vendor {
  /** PUT and COPY take the time of the file in `X-OC-Mtime`, seconds. */
  readonly mtimeHeader?: true
  /** PROPPATCH of `DAV:lastmodified` sets the time, seconds. */
  readonly mtimeProperty?: true
  /** Checksums that `oc:checksums` or `me:sha1hex` may tell. */
  readonly hashes?: readonly string[]
  /** The one that PUT checks when it comes in `OC-Checksum`. */
  readonly checks?: 'sha1'
  /** A PUT that ends early leaves what was there before. Elsewhere a file is written under another name and moved. */
  readonly atomic?: true
  /** Passwords are for a login of its own, which is not known here. */
  readonly otherLogin?: true
  /** Large files go up in chunks below `/dav/uploads/`. */
  readonly chunked?: true
}

/** RFC 4918 and nothing else. */
const other: Vendor = {}

/** The words of the option `vendor`. */
const vendors: Readonly<Record<string, Vendor>> = {
  nextcloud: {
    mtimeHeader: true,
    mtimeProperty: true,
    hashes: ['sha1'],
    checks: 'sha1',
    atomic: true,
    chunked: true,
  },
  owncloud: { mtimeHeader: true, mtimeProperty: true, hashes: ['md5', 'sha1'], checks: 'sha1', atomic: true },
  infinitescale: { mtimeHeader: true, mtimeProperty: true, hashes: ['sha1'], checks: 'sha1', atomic: true },
  fastmail: { mtimeHeader: true, hashes: ['sha1'], atomic: true },
  sharepoint: { atomic: true, otherLogin: true },
  'sharepoint-ntlm': { atomic: true, otherLogin: true },
  rclone: { mtimeHeader: true, hashes: ['md5', 'sha1'] },
  other,
}

/** What the server of a vendor can do; of one that is not known no more than the standard wants. */
export function vendorOf(word: string): Vendor {
  return (Object.hasOwn(vendors, word) ? vendors[word] : undefined) ?? other
}
