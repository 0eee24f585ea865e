import { isObject } from '../checks.js';
import { type Collection, isDuplicateKey } from '../mongo/driver.js';
import { idOf, PAGE } from '../mongo/upkeep.js';
import { OUR_FILES } from './bucket.js';
import { isRevision, textKeyOf } from './revisions.js';

/** In `metadata.stash` of a files document that only says: the chunks under this id are being removed. */
const CLAIM = 'sweep';
const CLAIMS = { 'metadata.stash': CLAIM };
/** A claim this old was left by a process that died; ms. */
const CLAIM_LIFETIME = 600_000;

/** Pages of the ids of our files that match, in order: a key's revisions one after the other. */
export async function* fileIds(files: Collection, filter = {}): AsyncGenerator<string[], void, undefined> {
  let last: unknown = '';
  for (;;) {
    const options = { projection: { _id: 1 }, sort: { _id: 1 }, limit: PAGE };
    const found = await files.find({ ...OUR_FILES, ...filter, _id: { $gt: last } }, options).toArray();
    const ids = found.map(idOf);
    yield ids.filter(isRevision);
    if (ids.length < PAGE) return;
    last = ids.at(-1);
  }
}

/** Removes what writers left behind that died: revisions that a newer one has replaced, and chunks without a file. */
export async function sweep(
  files: Collection,
  chunks: Collection,
  remove: (ids: string[]) => Promise<unknown>,
): Promise<void> {
  let before: string | undefined;
  for await (const page of fileIds(files)) {
    const replaced: string[] = [];
    for (const id of page) {
      if (before !== undefined && textKeyOf(before) === textKeyOf(id)) replaced.push(before);
      before = id;
    }
    if (replaced.length > 0) await remove(replaced);
  }
  await sweepChunks(files, chunks);
}

/** Lists chunks first and looks for their files after: a file whose chunks were seen is there by then, or claimed. */
async function sweepChunks(files: Collection, chunks: Collection): Promise<void> {
  for await (const ids of chunkOwners(chunks)) {
    const orphans = await claimOrphans(files, ids);
    if (orphans.length === 0) continue;
    await chunks.deleteMany({ files_id: { $in: orphans } });
    await files.deleteMany({ ...CLAIMS, _id: { $in: orphans } });
  }
  await files.deleteMany({ ...CLAIMS, uploadDate: { $lt: new Date(Date.now() - CLAIM_LIFETIME) } });
}

/** Pages of the ids that our chunks have for their files. */
async function* chunkOwners(chunks: Collection): AsyncGenerator<string[], void, undefined> {
  let last: unknown = '';
  for (;;) {
    const options = { projection: { _id: 0, files_id: 1 }, sort: { files_id: 1 }, limit: PAGE };
    const found = await chunks.find({ files_id: { $gt: last } }, options).toArray();
    const ids = found.map((chunk) => (isObject(chunk) ? chunk.files_id : undefined));
    const ours = [...new Set(ids.filter(isRevision))];
    if (ours.length > 0) yield ours;
    if (ids.length < PAGE) return;
    last = ids.at(-1);
  }
}

async function claimOrphans(files: Collection, ids: string[]): Promise<string[]> {
  const options = { projection: { _id: 1, 'metadata.stash': 1 } };
  const found = await files.find({ _id: { $in: ids } }, options).toArray();
  const present = new Map(found.map((file) => [idOf(file), isClaim(file)]));
  const orphans: string[] = [];
  for (const id of ids) {
    // Claimed already: by a sweep that died, or by another that does the same right now.
    if (present.get(id) ?? (await claim(files, id))) orphans.push(id);
  }
  return orphans;
}

/** Answers false when the file is there after all. */
async function claim(files: Collection, id: string): Promise<boolean> {
  try {
    const metadata = { stash: CLAIM };
    await files.insertOne({
      _id: id,
      length: 0,
      chunkSize: 1,
      uploadDate: new Date(),
      filename: '',
      metadata,
    });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

function isClaim(file: unknown): boolean {
  return isObject(file) && isObject(file.metadata) && file.metadata.stash === CLAIM;
}
