import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TestStore } from "../support/testStore";

/** Adds the service greeter, which uses neither Node.js nor the kit and has its own Dockerfile. */
export function addPerlService(store: TestStore): void {
  mkdirSync(join(store.folder, "services/greeter"));
  store.write(
    "services/greeter/service.ts",
    `import type { ServiceSpec } from "../spec";
const spec: ServiceSpec = {
  port: 4000,
  routes: ["/api/greeter"],
  health: { command: ["perl", "-MIO::Socket::INET", "-e", "exit !IO::Socket::INET->new('127.0.0.1:4000')"] },
};
export default spec;
`,
  );
  // Debian's minimal system contains Perl; the store needs this base image anyway.
  store.write(
    "services/greeter/Dockerfile",
    'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY greeter.pl /\nUSER 1000\nENTRYPOINT []\nCMD ["perl", "/greeter.pl"]\n',
  );
  store.write(
    "services/greeter/greeter.pl",
    `use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die "can't listen: $!";
while (my $client = $server->accept) {
  while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
  print $client "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 16\\r\\nConnection: close\\r\\n\\r\\nhello from perl\\n";
  close $client;
}
`,
  );
}
