import { nodeService } from "../nodeService.ts";

export default nodeService({ routes: ["/api/example-service"], database: true });
