import type { Json } from '../base/json.ts'

/**
 * What `options/get` shows under names that rclone has and that no option of this program stands for: clients with types made
 * from rclone's answers fail without them. An option of that name wins as soon as there is one; setting one does nothing.
 */
export const compatMain: Readonly<Record<string, Json>> = {
  Cookie: false,
  DefaultTime: '2000-01-01T00:00:00Z',
  DeleteMode: 3,
  DisableFeatures: null,
  DisableHTTPKeepAlives: false,
  ExpectContinueTimeout: 1_000_000_000,
  FixCase: false,
  Inplace: false,
  Interactive: false,
  KvLockTime: 1_000_000_000,
  Links: false,
  ListCutoff: 1_000_000,
  MaxBufferMemory: -1,
  MaxConnections: 0,
  MaxDeleteSize: -1,
  MaxStatsGroups: 1000,
  MetadataMapper: null,
  MetadataSet: null,
  MultiThreadChunkSize: 64 * 1024 * 1024,
  MultiThreadSet: false,
  MultiThreadWriteBufferSize: 128 * 1024,
  ClientPass: '',
  NameTransform: null,
  NoUpdateDirModTime: false,
  PartialSuffix: '.partial',
  ProgressTerminalTitle: false,
  ServerSideAcrossConfigs: false,
  StreamingUploadCutoff: 100 * 1024,
  TerminalColorMode: 'AUTO',
  TrafficClass: 0,
  UseListR: false,
}

/** The same for logging. */
export const compatLog: Readonly<Record<string, Json>> = {
  UseSyslog: false,
  SyslogFacility: 'DAEMON',
  MaxSize: -1,
  MaxBackups: 0,
  MaxAge: 0,
  Compress: false,
}

/** The same for a server's TLS: certificates are files here. */
export const compatHttp: Readonly<Record<string, Json>> = { TLSCertBody: '', TLSKeyBody: '' }
