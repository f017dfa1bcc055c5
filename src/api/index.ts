/**
 * The contract: every operation of the API with its method, path, fields and errors, declared once. Server, client, command line,
 * OpenAPI document and reference pages are derived from what is here. Nothing here does anything.
 */
export * from './errors.ts'
export * from './ids.ts'
export * from './limits.ts'
