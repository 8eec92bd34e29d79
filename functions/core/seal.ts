// Seals a text to a node's age recipient. The result is an ordinary armoured age file: the stock `age` program
// opens it with the node's identity.
import { armor, Encrypter } from "age-encryption";

export async function sealTo(recipient: string, text: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(text));
}
