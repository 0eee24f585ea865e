/** `TRUST=full`: the sizes that are promised; else a tenth or less of them, which shows the same in a second (docs/reliability.md). */
export const isFull = process.env.TRUST === 'full';
