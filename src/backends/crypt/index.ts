import { type CommandInfo, defineBackend } from '../../remote/backend.ts'
import { refuseNowhere } from '../../remote/below.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, oneOf, string } from '../../schema/values.ts'

const advanced = true

export const cryptOptions = defineOptions('crypt', {
  remote: option(string, '', 'Remote to encrypt and decrypt, such as "myremote:path/to/dir"', {
    flag: 'crypt-remote',
    required: true,
  }),
  filenameEncryption: option(oneOf('standard', 'obfuscate', 'off'), 'standard', 'How to encrypt the names of files', {
    flag: 'crypt-filename-encryption',
    examples: [
      { value: 'standard', help: 'Encrypt the names' },
      { value: 'obfuscate', help: 'Only turn their letters: short, but not safe' },
      { value: 'off', help: 'Leave them, and add ".bin" or what suffix says' },
    ],
  }),
  directoryNameEncryption: option(bool, true, 'Encrypt the names of directories too, if those of files are', {
    flag: 'crypt-directory-name-encryption',
  }),
  password: option(string, '', 'Password for encryption', {
    flag: 'crypt-password',
    password: true,
    secret: true,
    required: true,
  }),
  password2: option(string, '', 'A second password, the salt; it should be another one. May be left out', {
    flag: 'crypt-password2',
    password: true,
    secret: true,
  }),
  showMapping: option(bool, false, 'Log under which name each entry that is listed is stored', {
    flag: 'crypt-show-mapping',
    advanced,
  }),
  noDataEncryption: option(bool, false, 'Leave the contents as they are, and encrypt names only', {
    flag: 'crypt-no-data-encryption',
    advanced,
  }),
  passBadBlocks: option(
    bool,
    false,
    'Give zeros for blocks that are damaged, instead of an error: to save what can be saved',
    {
      flag: 'crypt-pass-bad-blocks',
      advanced,
    },
  ),
  strictNames: option(bool, false, 'Fail on names that cannot be decrypted, instead of leaving them out', {
    flag: 'crypt-strict-names',
    advanced,
  }),
  filenameEncoding: option(oneOf('base32', 'base64', 'base32768'), 'base32', 'How encrypted names are written', {
    flag: 'crypt-filename-encoding',
    advanced,
    examples: [
      { value: 'base32', help: 'For all storage' },
      { value: 'base64', help: 'Shorter, for storage that tells upper from lower case' },
      { value: 'base32768', help: 'Shortest, for storage that counts characters and not bytes' },
    ],
  }),
  suffix: option(string, '.bin', 'What names end in that are not encrypted; "none" is nothing', {
    flag: 'crypt-suffix',
    advanced,
  }),
})

const cryptCommands: readonly CommandInfo[] = [
  { name: 'encode', summary: 'Tell under which names files are stored', usage: 'PATH...' },
  {
    name: 'decode',
    summary: 'Tell the names of files from those under which they are stored',
    usage: 'PATH...',
    help: 'Fails when one of them cannot be decrypted; sluice cryptdecode goes on with the others.',
  },
]

/** A remote whose names and contents are encrypted as rclone's crypt does: each can read what the other wrote. */
export const cryptBackend = defineBackend({
  name: 'crypt',
  description: 'Encrypt/Decrypt a remote',
  options: cryptOptions,
  commands: cryptCommands,
  wraps: true,
  async open(_ctx, args) {
    refuseNowhere('crypt', args.name, args.config.remote)
    const { openCrypt } = await import('./remote.ts')
    return await openCrypt(args)
  },
})
