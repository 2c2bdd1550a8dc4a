/** Sends requests to the URL in the first argument until standard input ends. Prints a {@link LoadResult} as JSON. */
import { Load } from "../integration/support/load";

const load = Load.on(process.argv[2] ?? "");
process.stdin.resume();
process.stdin.once("end", () => {
  void load.stop().then((result) => console.log(JSON.stringify(result)));
});
