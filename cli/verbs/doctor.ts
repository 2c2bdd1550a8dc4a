export async function doctor(): Promise<number> {
  throw new Error("later");
}
