export async function sum(a: string, b: string): Promise<string> {
  return (BigInt(a) + BigInt(b)).toString();
}
