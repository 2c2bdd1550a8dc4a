export { nodeService } from "../../../services/nodeService.ts";
