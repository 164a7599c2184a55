import { getHeapStatistics } from 'node:v8'
import { required } from '../../schema/field.ts'
import { int } from '../../schema/params.ts'
import { method, nothing } from '../method.ts'

export const debugMethods = [
  method({
    path: 'debug/set-block-profile-rate',
    title: 'Set runtime.SetBlockProfileRate for blocking profiling.',
    help: 'Taken for compatibility, without effect: Node.js has no such profile. See /debug/pprof/ for those that there are.',
    input: { rate: required(int, 'Any number') },
    output: nothing,
    run: () => {},
  }),
  method({
    path: 'debug/set-mutex-profile-fraction',
    title: 'Set runtime.SetMutexProfileFraction for mutex profiling.',
    help: 'Taken for compatibility, without effect: Node.js has no such profile.',
    input: { rate: required(int, 'Any number') },
    output: { previousRate: required(int, 'Always 0') },
    run: () => ({ previousRate: 0 }),
  }),
  method({
    path: 'debug/set-gc-percent',
    title: "Call runtime/debug's SetGCPercent to change the garbage collection target percentage.",
    help: 'Taken for compatibility, without effect: the collector of Node.js sets its own pace.',
    input: { 'gc-percent': required(int, 'Any number') },
    output: { 'existing-gc-percent': required(int, 'Always 100') },
    run: () => ({ 'existing-gc-percent': 100 }),
  }),
  method({
    path: 'debug/set-soft-memory-limit',
    title: "Call runtime/debug's SetMemoryLimit to set a soft memory limit for the runtime.",
    help: 'Taken for compatibility, without effect: the heap of Node.js has a hard limit, which is set at the start by --max-old-space-size in NODE_OPTIONS. The answer tells that limit. A negative number only asks.',
    input: { 'mem-limit': required(int, 'Bytes') },
    output: { 'existing-mem-limit': required(int, 'Bytes that the heap may have') },
    run: () => ({ 'existing-mem-limit': getHeapStatistics().heap_size_limit }),
  }),
] as const
