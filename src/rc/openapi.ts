import { encodeJson, type Json } from '../base/json.ts'
import type { Shape } from '../schema/field.ts'
import { schemaOf } from '../schema/params.ts'
import type { Page } from './handler.ts'
import type { Method } from './method.ts'
import type { Services } from './services.ts'
import { wireVersion } from './wire-version.ts'

interface Description {
  [key: string]: Json
}

const ref = (kind: string, name: string): Description => ({ $ref: `#/components/${kind}/${name}` })

interface Special {
  /** Its name among the components. */
  readonly component: string
  readonly schema: Description
  readonly help: string
}

const anyObject: Description = { type: 'object', additionalProperties: true }

/** Parameters that every call may have (rc.md section 2). */
const special: Readonly<Record<string, Special>> = {
  _async: {
    component: 'GlobalAsyncParam',
    schema: { type: 'boolean' },
    help: 'Answer at once with the number of the job',
  },
  _group: { component: 'GlobalGroupParam', schema: { type: 'string' }, help: 'Stats group of the call' },
  _config: {
    component: 'GlobalConfigParam',
    schema: anyObject,
    help: 'Options for this call, named as in options/get main',
  },
  _filter: {
    component: 'GlobalFilterParam',
    schema: anyObject,
    help: 'Filters for this call, named as in options/get filter',
  },
}

/** Describes the methods in OpenAPI 3.1.1. All of them are POST; parameters may stand in the URL, in a form or in JSON. */
export function describeApi(methods: readonly Method[], version: string): Description {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sluice remote control',
      version,
      description: `The remote control of rclone ${wireVersion.join('.')}, as Sluice has it. Every method is called by POST.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.', description: 'This server' }],
    security: [{}, { basic: [] }],
    tags: [...new Set(methods.map(tagOf))].map((name) => ({ name })),
    paths: Object.fromEntries(methods.map((one) => [`/${one.path}`, { post: operation(one) }])),
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      parameters: {
        ...Object.fromEntries(
          Object.entries(special).map(([name, { component, schema, help }]) => [
            component,
            queryParameter(name, schema, help),
          ]),
        ),
        PreferAsyncHeader: {
          name: 'Prefer',
          in: 'header',
          description: 'respond-async: as _async, and the status is 202',
          schema: { type: 'string', enum: ['respond-async'] },
        },
      },
      responses: {
        AsyncJobResponse: jsonResponse('The job that was begun', {
          type: 'object',
          properties: {
            jobid: { type: 'integer', description: 'Number of the job, for job/status' },
            executeId: { type: 'string', description: 'Tells the jobs of this process from those of another one' },
          },
          required: ['jobid', 'executeId'],
        }),
        RcError: jsonResponse('What went wrong', ref('schemas', 'RcError')),
      },
      schemas: {
        RcError: {
          type: 'object',
          properties: {
            error: { type: 'string' },
            input: { type: ['object', 'null'], additionalProperties: true },
            path: { type: 'string' },
            status: { type: 'integer' },
          },
          required: ['error', 'input', 'path', 'status'],
        },
      },
    },
  }
}

const tagOf = ({ path }: Method): string => path.slice(0, path.indexOf('/'))

function operation(one: Method): Description {
  const shape = schemaOf(one.input)
  const body: Description = {
    ...shape,
    properties: {
      ...(shape.properties as Description),
      ...Object.fromEntries(Object.entries(special).map(([name, { schema, help }]) => [name, described(schema, help)])),
    },
    additionalProperties: true,
  }
  // They may stand in the URL instead.
  delete body.required
  return {
    operationId: one.path.replaceAll(/[/-]+(\w)/g, (_all, letter: string) => letter.toUpperCase()),
    summary: one.title,
    ...(one.help ? { description: one.help } : {}),
    tags: [tagOf(one)],
    ...(one.open ? {} : { security: [{ basic: [] }] }),
    parameters: [
      ...Object.entries(one.input).map(([name, field]) => queryParameter(name, field.type.schema, field.help)),
      ...Object.values(special).map(({ component }) => ref('parameters', component)),
      ref('parameters', 'PreferAsyncHeader'),
    ],
    requestBody: { content: contentOf(one, body) },
    responses: {
      200: answerOf(one),
      202: ref('responses', 'AsyncJobResponse'),
      '4XX': ref('responses', 'RcError'),
      '5XX': ref('responses', 'RcError'),
    },
  }
}

function contentOf(one: Method, body: Description): Description {
  if (one.needs === 'request')
    return { 'multipart/form-data': { schema: { type: 'object', additionalProperties: true } } }
  return { 'application/json': { schema: body }, 'application/x-www-form-urlencoded': { schema: body } }
}

function answerOf(one: Method): Description {
  const answer = jsonResponse('What came of it', { ...schemaOf(one.output as Shape), additionalProperties: true })
  if (one.needs !== 'response') return answer
  return { ...answer, content: { ...(answer.content as Description), 'text/plain': { schema: { type: 'string' } } } }
}

/** In a URL, objects and lists are JSON text. A parameter that is needed may stand in the body instead: none is required here. */
function queryParameter(name: string, schema: Description, help: string): Description {
  const nested = schema.type === 'object' || schema.type === 'array' || schema.type === undefined
  return {
    name,
    in: 'query',
    ...(help ? { description: help } : {}),
    ...(nested ? { content: { 'application/json': { schema } } } : { schema }),
  }
}

function described(schema: Description, help: string): Description {
  return help ? { ...schema, description: help } : schema
}

function jsonResponse(description: string, schema: Description): Description {
  return { description, content: { 'application/json': { schema } } }
}

/** `GET /openapi.json`. */
export function openApiPage({ methods, version }: Pick<Services, 'methods' | 'version'>): Page {
  return (_ctx, { path }) =>
    path === 'openapi.json'
      ? {
          status: 200,
          headers: ['content-type', 'application/json', 'cache-control', 'no-cache'],
          body: encodeJson(describeApi(methods.all, version)),
        }
      : undefined
}
