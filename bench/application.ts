/** Where the Node application of the claim about builds is on its host. */
export const application = { folder: '/root/bench-shop', builder: 'bench/node-builder' } as const
