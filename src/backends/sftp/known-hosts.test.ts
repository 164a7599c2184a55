import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { algorithmsFor, fingerprint, knownKeys, verdictOn } from './known-hosts.ts'

const [mine, other] = [Buffer.from('a key'), Buffer.from('another')]
const line = (hosts: string, key = mine) => `${hosts} ssh-ed25519 ${key.toString('base64')} a comment`

function hashed(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

function verdict(text: string, host = 'nas.example.org', port = 22): string {
  return verdictOn(mine, knownKeys(text, host, port))
}

test('a host is found by its name, by a pattern and by the hash of its name', () => {
  for (const hosts of [
    'nas.example.org',
    'x,NAS.example.org',
    '*.example.org',
    'nas.example.?rg',
    hashed('nas.example.org'),
  ])
    assert.equal(verdict(line(hosts)), 'known', hosts)
  for (const hosts of ['nas.example', '*.org,!nas.*', '[nas.example.org]:22', 'nasXexample.org', hashed('nas')])
    assert.equal(verdict(line(hosts)), 'unknown', hosts)
})

test('at another port a host has another name', () => {
  for (const hosts of ['[nas.example.org]:2222', hashed('[nas.example.org]:2222')])
    assert.equal(verdict(line(hosts), 'nas.example.org', 2222), 'known', hosts)
  assert.equal(verdict(line('nas.example.org'), 'nas.example.org', 2222), 'unknown')
})

test('another key is a change, one of several is known, and a revoked one is refused for good', () => {
  assert.equal(verdict(line('nas.example.org', other)), 'changed')
  assert.equal(verdict(`${line('nas.example.org', other)}\n${line('*')}`), 'known')
  assert.equal(verdict(`${line('nas.example.org')}\n@revoked ${line('*')}`), 'revoked')
  assert.equal(verdict(`# a comment\n\n@cert-authority ${line('*', other)}\nnonsense\n${line('*')}`), 'known')
})

test('a host is asked for the keys that are known of it', () => {
  const keys = knownKeys(`* ssh-rsa AAAA\n* sk-ssh-ed25519@openssh.com AAAA\n${line('*')}`, 'nas', 22)
  assert.deepEqual(algorithmsFor(keys), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa', 'ssh-ed25519'])
  assert.match(fingerprint(mine), /^SHA256:[A-Za-z0-9+/]{43}$/)
})
