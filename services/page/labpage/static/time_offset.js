// The engine's clock beside the browser's. A snapshot says when it was made, and comes later by what the way took, so the
// largest difference of the last seconds is the nearest. What a sleeping browser had not read is no clock that is off.
const TOLERATED_S = 2; // as ./lab doctor has it
const LOOKED_AT_S = 10;
const LEAST_S = 4;

export class TimeOffset {
  constructor() {
    this.seen = [];
  }

  // Both in seconds since 1970: what the engine's clock said, and what the browser's says now. How far the engine's is
  // ahead; less than 0 is behind; 0 where that is tolerable, or not known yet.
  add(engine, browser) {
    const age = (one) => browser - one.browser;
    this.seen = [...this.seen.filter((one) => age(one) >= 0 && age(one) <= LOOKED_AT_S), { browser, ahead: engine - browser }];
    if (age(this.seen[0]) < LEAST_S) return 0;
    const ahead = Math.max(...this.seen.map((one) => one.ahead));
    return Math.abs(ahead) > TOLERATED_S ? Math.round(ahead) : 0;
  }
}
