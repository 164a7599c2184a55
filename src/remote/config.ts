import { AppError } from '../base/error.ts'
import { fileVersion, readIfThere, updateFile } from '../base/file-update.ts'
import { type PasswordSources, passwordsFrom } from './config-password.ts'
import { type Env, remotesInEnv, valuesInEnv, variableName } from './config-path.ts'
import { IniDocument } from './ini.ts'
import { type ConfigKey, configKeyOf, encryptedPart, openConfig, sealConfig } from './secretbox.ts'

export interface ConfigFileParts {
  /** Where the file is or would be; `''` keeps everything in memory. */
  readonly path: string
  /** Variables that set values of remotes: `RCLONE_CONFIG_NAME_KEY`, `SLUICE_CONFIG_NAME_KEY`. */
  readonly env?: Env
  /** Where the password of an encrypted file comes from. */
  readonly password?: PasswordSources
}

type Edit = (document: IniDocument) => void

/**
 * The remotes of an rclone.conf (serve-http.md 3.6 to 3.8). Changes are made in memory and reach the disk by `save`, which
 * applies them to the file as it is then: what other programs changed meanwhile is not lost.
 */
export class ConfigFile {
  readonly path: string
  readonly #env: Env
  readonly #passwords: PasswordSources
  #document = new IniDocument()
  #key: ConfigKey | undefined
  /** What `setPassword` asked for, until it is saved. */
  #nextKey: { readonly key: ConfigKey | undefined } | undefined
  /** Changes that are not on the disk yet. */
  #edits: Edit[] = []
  /** What `stat` said when the file was read; undefined = there was none. */
  #version: string | undefined
  /** The end of what reads or writes the file now: one at a time. */
  #busy: Promise<unknown> = Promise.resolve()

  private constructor(parts: ConfigFileParts) {
    this.path = parts.path
    this.#env = parts.env ?? {}
    this.#passwords = parts.password ?? { env: this.#env }
  }

  /**
   * Reads a file; one that does not exist is empty. Throws `invalid` for a line that means nothing, `denied` when no password
   * fits.
   */
  static async open(parts: ConfigFileParts): Promise<ConfigFile> {
    const config = new ConfigFile(parts)
    await config.refresh()
    return config
  }

  /** True when the file is there, or everything is in memory. */
  get exists(): boolean {
    return this.path === '' || this.#version !== undefined
  }

  /** True when the file is encrypted, or will be by the next `save`. */
  get encrypted(): boolean {
    return (this.#nextKey ?? { key: this.#key }).key !== undefined
  }

  /** The names of all remotes: in order of the file, then those that only the environment sets up. */
  sections(): string[] {
    const own = this.#document.sections()
    const known = new Set(own.map(variableName))
    return [...own, ...remotesInEnv(this.#env).filter((name) => !known.has(variableName(name)))]
  }

  /** The values of a remote; variables win over the file. Undefined when there is no such remote. */
  get(section: string): Record<string, string> | undefined {
    const own = this.#document.get(section)
    const fromEnv = valuesInEnv(this.#env, section, this.sections())
    if (!own && fromEnv.type === undefined) return undefined
    return { ...own, ...fromEnv }
  }

  /** The values of a remote as the file has them, undefined when it is not in the file. */
  stored(section: string): Record<string, string> | undefined {
    return this.#document.get(section)
  }

  /** Sets values of a remote, which is created when it is missing; undefined removes a key. */
  set(section: string, values: Readonly<Record<string, string | undefined>>): void {
    this.#edit((document) => setAll(document, section, values))
  }

  /** Puts a remote in the place of the one with that name, if there is one. */
  replace(section: string, values: Readonly<Record<string, string>>): void {
    this.#edit((document) => {
      document.remove(section)
      setAll(document, section, values)
    })
  }

  /** Removes a remote from the file; one that is not there is no error. */
  remove(section: string): void {
    this.#edit((document) => void document.remove(section))
  }

  /** Gives a remote another name. Throws `not-found`, and `exists` when the name is taken. */
  rename(from: string, to: string): void {
    this.#edit((document) => document.rename(from, to))
  }

  /** The plain text of the file. */
  text(): string {
    return this.#document.toBytes().toString('utf8')
  }

  /** Makes an empty file when there is none. */
  touch(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.path === '') return
      await updateFile(this.path, (old) => Promise.resolve(old ? undefined : Buffer.alloc(0)))
      await this.#refresh()
    })
  }

  /** Encrypts with a password from the next `save` on, or not any more when it is undefined. */
  setPassword(password: string | undefined): void {
    this.#nextKey = { key: password === undefined ? undefined : configKeyOf(password) }
  }

  /** Reads the file again when it has changed on the disk. Changes that are not saved yet are kept. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#refresh())
  }

  async #refresh(): Promise<void> {
    if (this.path === '') return
    const version = await fileVersion(this.path)
    if (version === this.#version && version !== undefined) return
    const bytes = version === undefined ? undefined : await readIfThere(this.path)
    const document = (await this.#read(bytes, true)).document
    for (const edit of this.#edits) edit(document)
    this.#document = document
    this.#version = version
  }

  /**
   * Writes the changes. Writers take turns, within this process and with others that lock; the file is read anew first. No
   * change, no write. Throws the error of the disk, and that of a change that does not apply any more; the changes are
   * undone then.
   */
  save(): Promise<void> {
    return this.#inTurn(async () => {
      const edits = this.#edits.length
      try {
        await this.#save()
      } catch (error) {
        this.#edits = this.#edits.slice(edits)
        this.#nextKey = undefined
        this.#version = undefined
        await this.#refresh().catch(() => {})
        throw error
      }
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#busy.then(work)
    this.#busy = turn.catch(() => {})
    return turn
  }

  async #save(): Promise<void> {
    const edits = this.#edits
    const next = this.#nextKey
    if (edits.length === 0 && !next) return
    if (this.path !== '') {
      let document = this.#document
      let key = this.#key
      await updateFile(this.path, async (old) => {
        const read = await this.#read(old, false)
        document = read.document
        key = next ? next.key : read.key
        const before = document.toBytes()
        for (const edit of edits) edit(document)
        const after = document.toBytes()
        if (old && !next && before.equals(after)) return undefined
        return key ? await sealConfig(after, key) : after
      })
      for (const edit of this.#edits.slice(edits.length)) edit(document)
      this.#document = document
      this.#key = key
      this.#version = await fileVersion(this.path)
    }
    this.#edits = this.#edits.slice(edits.length)
    if (this.#nextKey === next) this.#nextKey = undefined
  }

  /** Applies a change at once, and again to what the file holds when it is saved. */
  #edit(edit: Edit): void {
    // A change that fails halfway must leave nothing behind.
    const document = new IniDocument(this.#document.toBytes())
    edit(document)
    this.#document = document
    this.#edits = [...this.#edits, edit]
  }

  async #read(
    bytes: Buffer | undefined,
    mayAsk: boolean,
  ): Promise<{ document: IniDocument; key: ConfigKey | undefined }> {
    const part = bytes && encryptedPart(bytes)
    const opened = part === undefined ? undefined : await this.#open(part, mayAsk)
    if (mayAsk) this.#key = opened?.key
    try {
      return { document: new IniDocument(opened?.plain ?? bytes), key: opened?.key }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const message = `failed to load config file ${JSON.stringify(this.path)}: ${error.message}`
      throw new AppError(error.code, message, { cause: error })
    }
  }

  async #open(part: string, mayAsk: boolean): Promise<{ plain: Buffer; key: ConfigKey }> {
    const known = this.#key && (await openConfig(part, this.#key))
    if (known && this.#key) return { plain: known, key: this.#key }
    let tried = this.#key !== undefined
    if (mayAsk)
      for await (const password of passwordsFrom(this.#passwords)) {
        const key = configKeyOf(password)
        const plain = await openConfig(part, key)
        if (plain) return { plain, key }
        tried = true
        this.#passwords.warn?.("Couldn't decrypt configuration, most likely wrong password.")
      }
    throw new AppError(
      'denied',
      tried
        ? `${this.path}: Couldn't decrypt configuration, most likely wrong password.`
        : `${this.path} is encrypted: give its password in SLUICE_CONFIG_PASS or RCLONE_CONFIG_PASS, or by --password-command`,
    )
  }
}

function setAll(document: IniDocument, section: string, values: Readonly<Record<string, string | undefined>>): void {
  document.add(section)
  for (const [key, value] of Object.entries(values))
    if (value === undefined) document.unset(section, key)
    else document.set(section, key, value)
}
