import { AppError } from '../../base/error.ts'
import { optional, required } from '../../schema/field.ts'
import { any, listOf, mapOf, object, string } from '../../schema/params.ts'
import { method, nothing } from '../method.ts'

const help =
  'Plugins of the first web interface of rclone are not supported; without that interface rclone answers the same.'
const lists = {
  loadedPlugins: optional(any, 'Plugins'),
  loadedTestPlugins: optional(mapOf(object), 'Plugins that are tried out'),
}

export const pluginsctlMethods = [
  method({
    path: 'pluginsctl/addPlugin',
    title: 'Add a plugin using url',
    help,
    input: { url: optional(string, 'Address of the plugin') },
    output: lists,
    run: refuse,
  }),
  method({
    path: 'pluginsctl/getPluginsForType',
    title: 'Get plugins with type criteria',
    help,
    input: { type: optional(string, 'Type of files'), pluginType: optional(string, 'Kind of plugin') },
    output: lists,
    run: refuse,
  }),
  method({
    path: 'pluginsctl/listPlugins',
    title: 'Get the list of currently loaded plugins',
    help,
    input: nothing,
    output: { loadedPlugins: required(listOf(object), 'Plugins'), testPlugins: required(listOf(object), 'Plugins') },
    run: refuse,
  }),
  method({
    path: 'pluginsctl/listTestPlugins',
    title: 'Show currently loaded test plugins',
    help,
    input: nothing,
    output: lists,
    run: refuse,
  }),
  method({
    path: 'pluginsctl/removePlugin',
    title: 'Remove a loaded plugin',
    help,
    input: { name: optional(string, 'Name of the plugin') },
    output: lists,
    run: refuse,
  }),
  method({
    path: 'pluginsctl/removeTestPlugin',
    title: 'Remove a test plugin',
    help,
    input: { name: optional(string, 'Name of the plugin') },
    output: lists,
    run: refuse,
  }),
] as const

function refuse(): never {
  throw new AppError('invalid', 'WebUI needs to be enabled for plugins to work')
}
