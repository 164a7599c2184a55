import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultsOf } from '../../schema/option.ts'
import { copySource } from './access-point.ts'
import { endpointOf } from './endpoint.ts'
import { type S3Options, s3Options } from './options.ts'
import { versionName, withoutVersion } from './versions.ts'

function urlOf(options: Partial<S3Options>, bucket: string, region?: string): string {
  const endpoint = endpointOf({ ...defaultsOf(s3Options), ...options })
  const { url, inHost } = endpoint.urlOf({ bucket, bucketItself: false }, region ?? endpoint.region)
  return inHost ? url.href : `${url.href}${bucket}`
}

test('each provider is found where it is, with the bucket where it wants it', () => {
  const cases: readonly [Partial<S3Options>, string, string][] = [
    [{}, 'films', 'https://films.s3.us-east-1.amazonaws.com/'],
    [{ provider: 'AWS', region: 'cn-north-1' }, 'films', 'https://films.s3.cn-north-1.amazonaws.com.cn/'],
    [{ provider: 'AWS' }, 'with.dots', 'https://s3.us-east-1.amazonaws.com/with.dots'],
    [{ provider: 'AWS' }, 'Capitals', 'https://s3.us-east-1.amazonaws.com/Capitals'],
    [{ provider: 'AWS', useAccelerateEndpoint: true }, 'films', 'https://films.s3-accelerate.amazonaws.com/'],
    [{ provider: 'AWS', useDualStack: true }, 'films', 'https://films.s3.dualstack.us-east-1.amazonaws.com/'],
    [
      { useAccelerateEndpoint: true, useDualStack: true },
      'films',
      'https://films.s3-accelerate.dualstack.amazonaws.com/',
    ],
    [{ useAccelerateEndpoint: true }, '', 'https://s3.us-east-1.amazonaws.com/'],
    [{ provider: 'Minio', endpoint: 'http://127.0.0.1:9000' }, 'films', 'http://127.0.0.1:9000/films'],
    [
      { provider: 'DigitalOcean', endpoint: 'fra1.digitaloceanspaces.com' },
      'films',
      'https://films.fra1.digitaloceanspaces.com/',
    ],
    [{ provider: 'other', endpoint: 'https://store.example/s3' }, 'films', 'https://store.example/s3/films'],
    [
      { provider: 'Other', endpoint: 'https://store.example', forcePathStyle: false },
      'films',
      'https://films.store.example/',
    ],
    [{ provider: 'Unheard', endpoint: 'https://store.example' }, 'films', 'https://store.example/films'],
    [{ provider: 'Wasabi', region: 'eu-central-1' }, 'films', 'https://films.s3.eu-central-1.wasabisys.com/'],
  ]
  for (const [options, bucket, expected] of cases) assert.equal(urlOf(options, bucket), expected)
  assert.equal(urlOf({}, 'films', 'eu-west-1'), 'https://films.s3.eu-west-1.amazonaws.com/')
})

test('an accelerated endpoint does not make or remove buckets', () => {
  const endpoint = endpointOf({ ...defaultsOf(s3Options), useAccelerateEndpoint: true })
  const { url } = endpoint.urlOf({ bucket: 'films', bucketItself: true }, 'us-east-1')
  assert.equal(url.href, 'https://films.s3.us-east-1.amazonaws.com/')
})

test('an access point is asked at its host, in the region of its ARN when that is wanted', () => {
  const arn = 'arn:aws:s3:eu-central-1:123456789012:accesspoint:films'
  const hostIn = (region: string) => `https://films-123456789012.s3-accesspoint.${region}.amazonaws.com/`
  assert.equal(urlOf({ provider: 'AWS' }, arn), hostIn('us-east-1'))
  const endpoint = endpointOf({ ...defaultsOf(s3Options), useArnRegion: true })
  assert.equal(endpoint.regionOf(arn), 'eu-central-1')
  assert.equal(endpoint.regionOf('films'), undefined)
  assert.equal(urlOf({ useDualStack: true }, arn, 'eu-central-1'), hostIn('dualstack.eu-central-1'))
  assert.equal(copySource(arn, 'a/b'), `${arn}/object/a/b`)
  assert.equal(copySource('films', 'a/b'), '/films/a/b')
})

test('a provider of no known place needs an endpoint, and that is a URL', () => {
  assert.throws(() => urlOf({ provider: 'Ceph' }, 'films'), /needs the option endpoint/)
  assert.throws(() => urlOf({ endpoint: 'ftp://store.example' }, 'films'), /not an http or https URL/)
})

test('the time of a version goes before the ending of the name, and out again', () => {
  const time = 981_173_106_123_000_000n
  for (const [key, named] of [
    ['a.txt', 'a-v2001-02-03-040506-123.txt'],
    ['dir.d/a', 'dir.d/a-v2001-02-03-040506-123'],
    ['a.tar.gz', 'a.tar-v2001-02-03-040506-123.gz'],
  ] as const) {
    assert.equal(versionName(key, time), named)
    assert.equal(withoutVersion(named), key)
    assert.equal(withoutVersion(key), undefined)
  }
})
