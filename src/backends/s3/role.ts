import { createHash } from 'node:crypto'
import { type Body, bodyOf } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { retry, retryPolicy } from '../../layers/retry.ts'
import type { ClientResponse, HttpClient } from '../../net/client.ts'
import { statusError } from '../../net/status.ts'
import { childOf, parseXml, textOf } from '../../net/xml.ts'
import { endpointOf, parsed } from './endpoint.ts'
import { errorOf } from './errors.ts'
import type { S3Options } from './options.ts'
import { type Keys, queryText, signerV4 } from './sign.ts'

/**
 * Asks AWS's token service for keys of the role `role_arn`, as somebody with keys of his own
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html). Throws `denied` when the role is not for him.
 */
export async function roleKeys(
  ctx: Context,
  http: HttpClient,
  options: S3Options,
  own: () => Promise<Keys>,
): Promise<() => Promise<Keys>> {
  const { region } = endpointOf(options)
  const url = serviceOf(options, region)
  const signer = await signerV4(own, 'sts')
  const bytes = Buffer.from(queryText(parametersOf(options)))
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
  }
  const request = { method: 'POST', url, resource: url.pathname, query: {}, headers }
  return () =>
    retry(ctx, retryPolicy(ctx), async () => {
      const signed = await signer.sign(request, region)
      const body: Body = bodyOf(bytes)
      return await keysIn(await http.request(ctx, { method: 'POST', url, headers: signed, body, length: bytes.length }))
    })
}

function serviceOf({ stsEndpoint }: S3Options, region: string): URL {
  const elsewhere = stsEndpoint || process.env.AWS_ENDPOINT_URL_STS
  return parsed(elsewhere || `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`)
}

function parametersOf(options: S3Options): Record<string, string> {
  const { roleArn, roleSessionName, roleSessionDuration, roleExternalId } = options
  return {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: roleSessionName || `sluice-${Date.now()}`,
    ...(roleSessionDuration > 0 ? { DurationSeconds: String(Math.round(roleSessionDuration / 1000)) } : {}),
    ...(roleExternalId === '' ? {} : { ExternalId: roleExternalId }),
  }
}

async function keysIn({ status, headers, body }: ClientResponse): Promise<Keys> {
  const what = 's3: role_arn'
  const document = await parseXml(body).catch(() => undefined)
  if (status >= 300) {
    const base = statusError(status, what, headers['retry-after'])
    const error = childOf(document, 'Error')
    throw error ? errorOf(error, what, base) : base
  }
  const given = childOf(document, 'AssumeRoleResult', 'Credentials')
  const [accessKeyId, secretAccessKey, sessionToken] = [
    textOf(given, 'AccessKeyId'),
    textOf(given, 'SecretAccessKey'),
    textOf(given, 'SessionToken'),
  ]
  const expiration = new Date(textOf(given, 'Expiration') ?? NaN)
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiration.getTime()))
    throw new AppError('io', `${what}: the token service sent an answer without keys`)
  return { accessKeyId, secretAccessKey, sessionToken, expiration }
}
