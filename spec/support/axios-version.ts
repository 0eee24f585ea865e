/** What the oldest axios does otherwise, or wrong, is pending on it: those specs are about axios as it is now. */
import axios from 'axios';

export const isCurrentAxios: boolean = Number(axios.VERSION.split('.')[1]) >= 21;

export const itOnCurrentAxios: Mocha.TestFunction | Mocha.PendingTestFunction = isCurrentAxios ? it : it.skip;
