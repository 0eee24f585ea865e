import axios from 'axios';
import { expect } from 'chai';
import { isTransformedByAxiosAlone, readsForcedJsonParsing } from '../lib/axios.js';

describe("axios' own transform of responses", () => {
  const own = [axios.defaults.transformResponse].flat();
  const alone = (transformResponse: unknown) => isTransformedByAxiosAlone({ transformResponse } as never);

  it('is known, and told from others', () => {
    expect(own).to.have.length(1);
    expect(own.map(readsForcedJsonParsing)).to.deep.equal([true]);
    expect([(data: unknown) => data, JSON.parse, undefined].map(readsForcedJsonParsing)).to.deep.equal([
      false,
      false,
      false,
    ]);
  });

  it('is alone where nothing stands beside it or in its place', () => {
    const other = (data: unknown) => data;
    expect(alone(own)).to.equal(true);
    for (const transforms of [[...own, other], [other, ...own], [other], [], other, undefined, own[0]])
      expect(alone(transforms)).to.equal(false);
  });
});
