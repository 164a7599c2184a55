import { defineOptions, option } from '../schema/option.ts'
import { bool, duration, size, string, strings } from '../schema/values.ts'

/** The options of mounts, which this program does not make: clients that draw forms read them (rc.md 3.3). */
export const mountOptions = defineOptions('mount', {
  debugFuse: option(bool, false, 'Log what the kernel asks for', { rc: 'DebugFUSE' }),
  allowNonEmpty: option(bool, false, 'Mount over a directory that is not empty'),
  allowRoot: option(bool, false, 'Let root use the mount'),
  allowOther: option(bool, false, 'Let other users use the mount'),
  defaultPermissions: option(bool, false, 'Let the kernel check permissions'),
  writebackCache: option(bool, false, 'Let the kernel gather writes'),
  daemon: option(bool, false, 'Mount in the background'),
  daemonWait: option(duration, 60_000, 'Time to wait for a mount in the background'),
  maxReadAhead: option(size, 128 * 1024, 'Bytes that the kernel may read ahead'),
  extraOptions: option(strings, [], 'Option for the mount program', { flag: 'option' }),
  extraFlags: option(strings, [], 'Flag for the mount program', { flag: 'fuse-flag' }),
  attrTimeout: option(duration, 1000, 'Time for which the kernel keeps attributes'),
  deviceName: option(string, '', 'Name of the device', { flag: 'devname' }),
  volumeName: option(string, '', 'Name of the volume', { flag: 'volname' }),
  noAppleDouble: option(bool, true, 'Ignore the ._ files of macOS'),
  noAppleXattr: option(bool, false, 'Ignore the attributes of macOS'),
  daemonTimeout: option(duration, 0, 'Time for a request of the kernel'),
  asyncRead: option(bool, true, 'Let the kernel read in parallel'),
  networkMode: option(bool, false, 'Mount as a network drive'),
  directIo: option(bool, false, 'Read and write past the cache of the kernel', { rc: 'DirectIO' }),
  caseInsensitive: option(string, 'unset', 'Say that names are told apart by case: unset, true or false', {
    flag: 'mount-case-insensitive',
  }),
})
