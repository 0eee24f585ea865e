"""Hits through Python's requests-cache, as its users have them: CachedSession with its defaults, then response.json().

Arguments: URL, backend, cache name, blocks, CPU milliseconds of a block. Prints one JSON object.
"""

import gc
import json
import platform
import statistics
import sys
import time
from importlib.metadata import version

try:
    import requests_cache
except ModuleNotFoundError:
    sys.exit(69)  # EX_UNAVAILABLE


def main(url, backend, cache_name, blocks, block_ms):
    with requests_cache.CachedSession(cache_name, backend=backend) as session:
        session.get(url)
        stored = session.get(url)

        def hit():
            return session.get(url).json()

        def prove():
            response = session.get(url)
            assert response.from_cache, f'{backend}: no hit'
            # The origin counts how often it was asked.
            assert response.headers['x-asked'] == stored.headers['x-asked'], f'{backend}: not the stored one'
            assert response.json() == json.loads(stored.content), f'{backend}: other data'

        prove()
        count = hits_in(hit, block_ms)
        micros = statistics.median(block(hit, count) for _ in range(blocks))
        prove()
    versions = {'version': version('requests-cache'), 'python': platform.python_version()}
    print(json.dumps({'micros': micros, 'operations': count * blocks, **versions}))


def hits_in(hit, block_ms):
    """How many fill a block; warms up meanwhile."""
    count = 1
    while (micros := block(hit, count)) * count < block_ms * 1000:
        count = min(count * 10, max(count + 1, round(block_ms * 1000 / micros)))
    return count


def block(hit, count):
    """CPU microseconds of one hit, all threads of the process."""
    gc.collect()
    before = time.process_time()
    for _ in range(count):
        hit()
    return (time.process_time() - before) * 1e6 / count


if __name__ == '__main__':
    main(*sys.argv[1:4], int(sys.argv[4]), float(sys.argv[5]))
