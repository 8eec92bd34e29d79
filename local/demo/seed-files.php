<?php
/** The demo site's files for seed.php: pictures through WordPress' media functions, and what else lies about in a real site. */

/** Deterministic bytes that do not compress. */
function noise( $length ) {
	$bytes = '';
	for ( $left = $length; $left > 0; $left -= 4 ) {
		$bytes .= pack( 'N', mt_rand() << 1 ^ mt_rand() );
	}
	return substr( $bytes, 0, $length );
}

/** A glaze test tile: a gradient under spots, so that JPEG and PNG have something to do. */
function draw_tile( $width, $height ) {
	$image = imagecreatetruecolor( $width, $height );
	$tint  = array( mt_rand( 20, 120 ), mt_rand( 60, 160 ), mt_rand( 90, 200 ) );
	for ( $y = 0; $y < $height; $y++ ) {
		$light = (int) ( 80 * $y / $height );
		$color = imagecolorallocate( $image, $tint[0] + $light, $tint[1] + $light, min( 255, $tint[2] + $light ) );
		imageline( $image, 0, $y, $width, $y, $color );
	}
	for ( $spot = 0; $spot < 400; $spot++ ) {
		$size  = mt_rand( 4, 60 );
		$color = imagecolorallocatealpha( $image, mt_rand( 120, 255 ), mt_rand( 120, 255 ), mt_rand( 120, 255 ), 70 );
		imagefilledellipse( $image, mt_rand( 0, $width ), mt_rand( 0, $height ), $size, $size, $color );
	}
	return $image;
}

function encode_image( $image, $type ) {
	ob_start();
	'png' === $type ? imagepng( $image, null, 6 ) : imagejpeg( $image, null, 85 );
	return ob_get_clean();
}

/** Returns the attachments' ids; WordPress makes their thumbnails. */
function add_images() {
	$ids = array();
	foreach ( array( 'harbour.jpg', 'kiln.png', 'teapot.jpg', 'glaze-tests.jpg', 'shelf.png' ) as $index => $name ) {
		$type = pathinfo( $name, PATHINFO_EXTENSION );
		$data = encode_image( draw_tile( 1200, 800 ), $type );
		$file = wp_upload_bits( $name, null, $data, gmdate( 'Y/m', strtotime( demo_date( $index * 3 ) ) ) );
		must( ! $file['error'], "upload of $name" );
		$attachment = array(
			'post_mime_type' => 'png' === $type ? 'image/png' : 'image/jpeg',
			'post_title'     => ucfirst( pathinfo( $name, PATHINFO_FILENAME ) ),
			'post_status'    => 'inherit',
			'post_date'      => demo_date( $index * 3 ),
		);
		$id = must( wp_insert_attachment( $attachment, $file['file'], 0, true ), "attachment $name" );
		wp_update_attachment_metadata( $id, must( wp_generate_attachment_metadata( $id, $file['file'] ), "thumbnails of $name" ) );
		$ids[] = $id;
	}
	return $ids;
}

function write_file( $path, $data ) {
	$full = WP_CONTENT_DIR . '/' . $path;
	must( wp_mkdir_p( dirname( $full ) ), "directory of $path" );
	must( false !== file_put_contents( $full, $data ), "file $path" );
}

/** Names and kinds that backups get wrong, and directories that a backup has to leave out. */
function add_other_files() {
	write_file( 'uploads/price-list.csv', "name;price\n" . implode( "\n", array_map( fn( $p ) => "{$p['name']};{$p['price']}", demo_catalog() ) ) . "\n" );
	write_file( 'uploads/Größen & Maße ☕.txt', "Becher: 8 cm\nSchale: 14 cm\n" );
	write_file( 'uploads/empty.txt', '' );
	write_file( 'uploads/firing-curve.bin', noise( 2 * 1024 * 1024 ) );
	write_file( 'uploads/a name with spaces/' . str_repeat( 'long-', 40 ) . 'name.txt', "long\n" );

	write_file( 'cache/page-0001.html', '<!doctype html><title>cached</title>' );
	write_file( 'plugins/demo-shop/cache/catalog.json', wp_json_encode( demo_catalog() ) );
	write_file( 'plugins/demo-shop/node_modules/left-out/package.json', '{ "name": "left-out", "version": "1.0.0" }' );
	write_file( 'plugins/demo-shop/node_modules/left-out/index.js', "module.exports = 'not worth a backup';\n" );
}

/** Many files of 1 to 60 KB, half text and half noise, for tests and measurements of size. */
function add_extra_files( $count ) {
	$text = str_repeat( "Wedging, throwing, trimming, drying, firing, glazing, firing again.\n", 400 );
	$pool = noise( 256 * 1024 );
	for ( $number = 0; $number < $count; $number++ ) {
		$half = mt_rand( 512, 30 * 1024 );
		$data = substr( $text, mt_rand( 0, 60 ), $half ) . substr( $pool, mt_rand( 0, 200 * 1024 ), $half );
		write_file( sprintf( 'uploads/extra/%03d/%05d.dat', $number / 100, $number ), $data );
	}
}
