import { AppError } from '../base/error.ts'
import { formFiles } from '../http/multipart.ts'
import { storeUpload } from '../operations/upload.ts'
import { openFolder } from './folder.ts'
import type { Call } from './method.ts'

/** Stores the files of the form that the request of a call carries, one after the other as they come. */
export async function uploadFiles(call: Call, fs: string, dir: string): Promise<void> {
  const remote = await openFolder(call, fs)
  const type = call.request?.header('content-type') ?? ''
  if (type.trim() === '') throw new AppError('invalid', 'mime: no media type')
  if (!call.request || !/^multipart\//i.test(type.trim())) return
  for await (const { name, contentType, body } of formFiles(type, call.request.body))
    await storeUpload(call.ctx, { remote, dir }, { name, contentType, body })
}
