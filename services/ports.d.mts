/** `count` free ports of 127.0.0.1, the first of them `first` if given. */
export function freePorts(count: number, first?: number): Promise<number[]>;
