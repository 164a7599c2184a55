import { describeMetadata } from '../remote/metadata.ts'
import type { Remote, Trait } from '../remote/remote.ts'

/** `operations/fsinfo`: what is known of a storage and what it can do (rc.md 3.6). */
export interface FsInfo {
  readonly Name: string
  readonly Root: string
  /** For people. */
  readonly String: string
  /** Of modification times, ns; a hundred years for storage without such times. */
  readonly Precision: number
  readonly Hashes: readonly string[]
  readonly Features: Readonly<Record<string, boolean>>
  readonly MetadataInfo: ReturnType<typeof describeMetadata>
}

const HUNDRED_YEARS = 100 * 365 * 24 * 3600 * 1e9

/** Describes a remote to clients. */
export function infoOf(remote: Remote): FsInfo {
  const { name, root, description, precision = HUNDRED_YEARS, hashes } = remote.info
  return {
    Name: name,
    Root: root,
    String: description,
    Precision: precision,
    Hashes: hashes,
    Features: featuresOf(remote),
    MetadataInfo: describeMetadata(remote.info.metadata),
  }
}

/** The features that clients ask for by rclone's names; those that no storage here has are false. */
export function featuresOf(remote: Remote): Readonly<Record<string, boolean>> {
  const has = (name: keyof Remote) => remote[name] !== undefined
  const { metadata } = remote.info
  const is = (trait: Trait) => remote.info.traits[trait] === true
  return {
    About: has('about'),
    BucketBased: is('bucketBased'),
    BucketBasedRootOK: is('bucketBased'),
    CanHaveEmptyDirectories: is('emptyDirectories'),
    CaseInsensitive: is('caseInsensitive'),
    ChangeNotify: has('poll'),
    ChunkWriterDoesntSeek: false,
    CleanUp: has('cleanUp'),
    Command: has('command'),
    Copy: has('copy'),
    DirCacheFlush: false,
    DirModTimeUpdatesOnWrite: is('isLocal'),
    DirMove: has('moveDirectory'),
    DirSetModTime: has('setModTime') && is('emptyDirectories'),
    Disconnect: false,
    DoubleSlash: false,
    DuplicateFiles: is('duplicateFiles'),
    FilterAware: false,
    GetTier: has('setTier'),
    IsLocal: is('isLocal'),
    ListP: false,
    ListR: has('listRecursive'),
    MergeDirs: false,
    MkdirMetadata: false,
    Move: has('move'),
    NoMultiThreading: false,
    OpenChunkWriter: false,
    OpenWriterAt: has('openWriter'),
    Overlay: false,
    PartialUploads: is('partialUploads'),
    PublicLink: has('publicLink'),
    Purge: has('purge'),
    PutStream: true,
    PutUnchecked: false,
    ReadDirMetadata: metadata?.directories === true,
    ReadMetadata: metadata !== undefined,
    ReadMimeType: false,
    ServerSideAcrossConfigs: false,
    SetTier: has('setTier'),
    SetWrapper: false,
    Shutdown: false,
    SlowHash: is('slowHash'),
    SlowModTime: is('slowModTime'),
    UnWrap: false,
    UserDirMetadata: false,
    UserInfo: false,
    UserMetadata: metadata?.user === true,
    WrapFs: false,
    WriteDirMetadata: false,
    WriteDirSetModTime: false,
    WriteMetadata: metadata !== undefined,
    WriteMimeType: false,
  }
}
